"""claimgate demo --motor: every story comes out as it must, nothing is left behind; and what the stories say that a party sees is what the scenario tests expect of it
(tests/flow/scenarios/<file>.json), so that there is one truth."""
import json
import pathlib
import sys
import tempfile
from decimal import Decimal

from support import ROOT, Checks
from test_demo import BINARY, assert_clean, demo

checks = Checks()
STORIES = sorted(p.stem for p in (ROOT / "gateway/cli/demo/stories").glob("[0-9]*.json"))


def step(values, name):
    for value in values:
        if name == "*":
            yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        elif "=" in name and isinstance(value, list):
            member, word = name.split("=", 1)
            yield from (item for item in value if item.get(member) == word)
        elif isinstance(value, list) and name.isdigit():
            yield from value[int(name):int(name) + 1]
        elif isinstance(value, dict) and name in value:
            yield value[name]


def ask(text, question):
    """The questions of gateway/cli/demo/query.h."""
    word, _, rest = ("", "", question) if question.startswith("/") else question.partition(" ")
    if word == "text":
        return "yes" if rest in text else "no"
    values = [json.loads(text)]
    for name in rest.split("/")[1:]:
        values = list(step(values, name))
    if word == "count":
        return str(len(values))
    words = [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in values]
    return str(sum(map(Decimal, words))) if word == "sum" else ", ".join(words)


def agrees_with_scenarios(name, story):
    """What the story says that a party sees, asked of the projection that the scenario's own test expects.  A fact that says `own` is of the demo alone."""
    for seen in story["steps"]:
        if "file" not in seen:
            continue
        text = (pathlib.Path(__file__).parent / "scenarios" / f"{seen['file']}.json").read_text(encoding="utf-8").strip()
        whole = f'{{"case":{text},"content":{text}}}'
        for fact in seen["facts"]:
            if not fact.get("own") and ("/case/" in fact["at"] or "/content/" in fact["at"] or fact["at"].startswith("text ")):
                checks.equal(ask(whole, fact["at"]), fact["is"], f"scenario {name}, {seen['by']}, {seen['tell']}: {fact['what']} in {seen['file']}.json")


def whole():
    with tempfile.TemporaryDirectory() as folder:
        run = demo(folder, "--motor", "--json")
        checks.equal((run.returncode, run.stderr), (0, ""), "it comes out as it must, and says nothing else")
        if run.returncode == 0:
            assert_clean(folder)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    end, rows = rows[-1], rows[:-1]
    checks.equal((end["ok"], end["failed"], end["steps"]), (True, 0, len(rows)), "the end counts what was told")
    checks.equal(sorted({r["scenario"] for r in rows}), STORIES, "each story is played")
    for name in STORIES:
        story = json.loads((ROOT / f"gateway/cli/demo/stories/{name}.json").read_text(encoding="utf-8"))
        agrees_with_scenarios(name, story)
        mine = [r for r in rows if r["scenario"] == name]
        checks.equal(len(mine), sum("by" in s for s in story["steps"]), f"scenario {name}: every step is told")
        checks.that({"seen", "refused"} <= {r["kind"] for r in mine}, f"scenario {name}: somebody sees something and something is refused")
    for r in rows:
        checks.that(r["ok"] and all(f["ok"] and f["got"] == f["is"] for f in r["facts"]), f"{r}")
        checks.that(r["kind"] != "refused" or (r["code"] == r["expected"] and r["status"] >= 400), f"{r}")


def usage():
    for words in (("--motor", "--scenario", "99"), ("--motor", "--documents", "3"), ("--motor", "more")):
        with tempfile.TemporaryDirectory() as folder:
            checks.that(demo(folder, *words).returncode != 0, f"demo {words} is refused")


def readable():
    """On a terminal or none, no line is wider than 100 columns (the table's ideographs take two)."""
    with tempfile.TemporaryDirectory() as folder:
        run = demo(folder, "--motor", "--scenario", STORIES[0])
        checks.equal(run.returncode, 0, run.stderr)
        for line in run.stdout.splitlines():
            checks.that(sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 100, f"wider than the screen: {line}")


if __name__ == "__main__":
    if not BINARY:
        sys.exit(77)
    for play in (usage, readable, whole):
        play()
    sys.exit(checks.done())
