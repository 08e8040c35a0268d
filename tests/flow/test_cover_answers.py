"""Answers to "who insures this vehicle" that are none: unsigned, by a wrong key, lying, replayed, slow; bounded tries, asked anew, the next one asked meanwhile."""
import sys
import threading
import time

from accidents import P1, P2, P3, AccidentGateway, findings_of, seen_by
from covers import CARS, ask, b64url, begun, desks_of, ended, states
from support import Checks, compact, from_b64url

checks = Checks()


def unbelievable():
    """What is no answer: each with its code; bounded tries; then asked anew."""
    with AccidentGateway() as g:
        g.findings = ("cover-differs", "vehicle-uninsured")  # what this is about
        _, claims = begun(g, checks)
        claim = claims[P1, "cali"]
        desk = desks_of(g, "p3")["p3"]
        plate = CARS["denied"]
        desk.insure(plate)
        first = {}

        def replay(question):
            return 200, first.setdefault("answer", desk.sign(desk.paper(question)))
        lies = [
            ("unsigned", "signature-malformed", lambda q: (200, compact(desk.paper(q)))),
            ("another key in its name", "signer-wrong-organisation", lambda q: (200, desk.sign(desk.paper(q), "p2"))),
            ("a key that nobody knows", None, lambda q: (200, desk.sign(desk.paper(q), "rogue-h1"))),
            ("a person's card", "signer-wrong-kind", lambda q: (200, desk.sign(desk.paper(q), "person-wang"))),
            ("one byte changed", "signature-mismatch", lambda q: (200, flipped(desk, q))),
            ("another plate", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, plate="AAA7001")))),
            ("another day", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, date="2026-01-01")))),
            ("another question", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, question=q["question"][:-1] + "9")))),
            ("a policy that was over", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, to="2026-01-01")))),
            ("a policy without number", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, certificate_no=None)))),
            ("another insurer's policy", "lookup-answer-differs", lambda q: (200, desk.sign(desk.paper(q, insurer=P2)))),
            ("a word that only the register can say", "lookup-answer-differs", lambda q: (200, desk.sign({k: v for k, v in desk.paper(q, answer="uninsured").items() if k not in ("insurer", "certificate_no", "from", "to")}))),
            ("a further member", "schema-invalid", lambda q: (200, desk.sign(desk.paper(q, premium="1")))),
            ("an error page", "lookup-unanswered", lambda q: (500, b"<html>")),
        ]
        tries = iter(lies)
        asked = ended_tries = 0
        answer = None
        for name, code, lie in tries:
            desk.script(plate, lie)
            if asked % 5 == 0:
                answer = ask(g, claim, "DDD-7004")
                checks.equal((answer.status, answer.json()["state"]), (202, "asking"), f"{name}: asked (anew) {answer}")
            else:
                g.pass_time(21600)
            asked += 1
            n = asked - ended_tries
            row = ended(g, answer, state=lambda r: r["asked"][0].get("code") and r["asked"][0]["tries"] == n)
            one = row["asked"][0]
            checks.equal((one["state"], one["tries"]), ("failed" if n == 5 else "waiting", n), f"{name}: no answer {one}")
            if code:
                checks.equal(one["code"], code, name)
            else:
                checks.that(one["code"].startswith(("chain", "signer", "certificate")), f"{name}: {one['code']}")
            checks.that(all("result" not in row for _ in row["asked"]), f"{name}: nothing follows from it")
            if n == 5:
                checks.equal((row["state"], row["code"]), ("unanswered", "lookup-unanswered"), f"five tries, then no more {row}")
                ended_tries = asked
        documents = [d["kind"] for d in seen_by(g, checks, "p1", claim)[0]["documents"]]
        checks.that("cali-answer" not in documents, "and none of it has become a paper of the case")
        g.pass_time(21600)
        desk.script(plate, replay)  # the fifth try of this asking: the truth at last
        row = ended(g, answer)
        checks.equal((row["state"], row["result"], row["insurer"]["code"]), ("answered", "insured", P3), f"the truth, in the last try {row}")
        checks.equal(len(desk.asked), asked + 1, "as many questions as tries")

        desk.insure(CARS["none"])
        desk.script(CARS["none"], replay)
        answer = ask(g, claim, "BBB-7002")
        row = ended(g, answer, state=lambda r: r["asked"][0].get("code"))
        checks.equal(row["asked"][0]["code"], "lookup-answer-differs", "an answer given before is none to another question")
        desk.lie(CARS["found"], answer="unknown", insurer=None, certificate_no=None)
        row = ended(g, ask(g, claim, "AAA-7001"))
        checks.equal((row["state"], states(row)), ("unanswered", {P3: "unknown"}), "who does not know has not denied")
        desk.close()


def flipped(desk, question):
    head, body, tail = desk.sign(desk.paper(question)).split(b".")
    return b".".join([head, b64url(from_b64url(body.decode()).replace(b"004447", b"004448")).encode(), tail])


def slow():
    """Who does not answer in time keeps nobody waiting: the next is asked; later the slow one is spared."""
    with AccidentGateway() as g:
        g.findings = ("cover-differs", "vehicle-uninsured")  # what this is about
        _, claims = begun(g, checks, {"EEE-7005": P1})
        claim = claims[P1, "cali"]
        desks = desks_of(g, "p1", "p2")
        desks["p2"].insure(CARS["slow"])
        released = threading.Event()

        def hang(question):
            released.wait(30)
            return desks["p1"].honest(question)
        desks["p1"].script(CARS["slow"], hang)
        began = time.monotonic()
        row = ended(g, ask(g, claim, "EEE-7005"))
        checks.that(time.monotonic() - began < 20, "a bound on each call")
        checks.equal((row["state"], row["insurer"]["code"], states(row)), ("answered", P2, {P1: "spared", P2: "insured"}), f"the next one answered {row}")
        released.set()
        checks.equal(findings_of(seen_by(g, checks, "p1", claim)[0]).get("cover-differs"), "hold", "the slip names P1, P2 says it is its insured: a person decides")
        for desk in desks.values():
            desk.close()


def main():
    for play in (unbelievable, slow):
        print(play.__name__, flush=True)
        play()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
