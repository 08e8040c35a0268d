#!/usr/bin/env python3
"""Signed accident records against the running gateway: every part of made-up A2 and A3 accidents of both editions, with its files, and (with the optional
conformance data) the open half of A1 of 2023 go in; none is lost, the papers of one accident make one case; what is altered or signed by another is refused."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
from support import *  # noqa: E402, F403

SHARED = pathlib.Path(os.environ.get("CLAIMGATE_SHARED", ROOT / ".." / "shared"))
OPEN_DATA = SHARED / "vectors/police/tw-a1-2023/accidents.csv"
OIDS = {b"A99010001K": "k1", b"A99020001K": "k2"}
check = Checks()


class Record:
    def __init__(self, path):
        self.path, self.body = path, path.read_bytes()
        self.agency = next(name for oid, name in OIDS.items() if oid in self.body[:400])
        self.headers = {"Content-Type": "application/json" if path.suffix == ".json" else "application/xml"}
        for line in path.with_suffix(".headers").read_text().splitlines():
            name, value = line.split(": ", 1)
            self.headers[name] = value
        self.number = re.search(rb'accident_no(?:":"|>)([^"<]+)', self.body).group(1).decode()

    def files(self):
        names = {m.decode() for m in re.findall(rb"\b[0-9a-f]{64}\b", self.body)}
        return [self.path.parent / f"{name}.bin" for name in sorted(names) if (self.path.parent / f"{name}.bin").exists()]


def make(g, name, *words):
    out = g.dir / name
    claimgate("sample", "police", *words, "--pki", g.pki, "--out", out, "--deterministic", "7")
    return [Record(p) for p in sorted(out.iterdir()) if p.suffix in (".json", ".xml")]


def send(g, record, body=None, sender=None):
    return g.call("POST", "/v1/accident-records", body or record.body, record.headers, g.token(sender or record.agency))


def push(g, records):
    """Files first, as they may come; then the record."""
    cases = {}
    for r in records:
        for f in r.files():
            answer = g.call("PUT", f"/v1/attachments/{f.stem}", f.read_bytes(), {"Content-Type": "image/png"}, g.token(r.agency))
            check.that(answer.status in (200, 201, 204), f"{r.path.name}: its file goes in: {answer}")
        answer = send(g, r)
        if check.equal(answer.status, 201, f"{r.path.name} is accepted"):
            r.answer = answer.json()
            cases.setdefault(r.number, set()).add(r.answer["case"])
        else:
            print(answer)
    check.that(all(len(of_one) == 1 for of_one in cases.values()), "the papers of one accident are in one case")
    return cases


def test_made_up(g):
    records = make(g, "made", "--synthetic", "30")
    cases = push(g, records)
    check.equal(len(cases), 30, "accidents")
    check.equal(len(g.cases()), 30, "cases")
    check.that(any(r.path.suffix == ".xml" for r in records) and any("AUTH" in r.headers for r in records), "all forms of signature are among them")
    for r in records[:6]:
        answer = send(g, r)
        check.equal((answer.status, answer.json().get("outcome")), (200, "duplicate"), f"{r.path.name} again")
        check.equal(answer.json()["receipt"], r.answer["receipt"], f"{r.path.name} again: the original receipt")
    return records


def test_refusals(g, records):
    slip = records[0]
    before = g.counts()
    altered = send(g, slip, slip.body.replace(b'"A2"', b'"A3"'))
    check.equal(altered.status, 422, "altered after signing")
    name, value = g.sign(slip.body + b" ", "k2")
    other = g.call("POST", "/v1/accident-records", slip.body + b" ", {"Content-Type": "application/json", name: value}, g.token("k2"))
    check.that(other.status in (403, 422), f"signed by another agency: {other}")
    bare = g.call("POST", "/v1/accident-records", slip.body, {"Content-Type": "application/json"}, g.token("k1"))
    check.equal((bare.status, bare.code()), (422, "signature-missing"), "without a signature")
    changed = json.loads(slip.body)
    changed["narrative"] = "另一段經過"
    body = compact(changed)
    name, value = g.sign(body, "k1")
    conflict = g.call("POST", "/v1/accident-records", body, {"Content-Type": "application/json", name: value}, g.token("k1"))
    check.equal((conflict.status, conflict.code()), (409, "accident-part-conflict"), "the same part and revision with other content")
    check.equal(g.counts(without=("nonces", "refusals"))["documents"], before["documents"], "nothing of it is stored")


def test_open_data(g):
    if not OPEN_DATA.exists():
        print("the optional conformance data are not here")
        return
    records = make(g, "open", "--from-open-data", OPEN_DATA)
    check.equal(len(records), 877, "accidents of the open half")
    before = len(g.cases())
    push(g, records)
    check.equal(len(g.cases()) - before, 877, "cases of the open half")


def main():
    with Gateway() as g:
        records = test_made_up(g)
        test_refusals(g, records)
        test_open_data(g)
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
