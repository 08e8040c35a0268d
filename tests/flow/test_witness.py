#!/usr/bin/env python3
"""Witnesses of the log: real processes cosign its heads, deliveries carry them, and a log with two histories is refused by whoever saw the first.
"""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from support import BINARY, Checks, Client, Gateway, claimgate, wait_until

ORIGIN = "http://gateway.example.tw"
check = Checks()


class Witness:
    def __init__(self, folder, name, keys, line=None):
        self.folder, self.name, self.keys = pathlib.Path(folder), name, keys
        self.key, self.state = self.folder / f"{name}.key", self.folder / f"{name}.state"
        self.entry = json.loads(claimgate("witness", "key", self.key, "--name", name, "--url", "http://127.0.0.1:1").stdout)
        self.start("127.0.0.1:0")

    def start(self, listen):
        self.process = subprocess.Popen([BINARY, "witness", "serve", f"{ORIGIN}={self.keys}", "--key", self.key, "--name", self.name, "--state", self.state,
                                         "--listen", listen], stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.entry["url"] = f"http://127.0.0.1:{self.port}"

    def ask(self, body):
        return Client("127.0.0.1", self.port).call("POST", "/add-checkpoint", body.encode())

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def request(old, path, checkpoint):
    return "\n".join([f"old {old}", *path, "", checkpoint])


def verify(folder, head, keys, witnesses, quorum):
    file = folder / "head"
    file.write_text(head)
    done = claimgate("verify", "log", file, "--keys", keys, "--witnesses", witnesses, "--quorum", quorum, "--json", check=False)
    return {line["check"]: line["result"] for line in map(json.loads, done.stdout.decode().splitlines()) if "check" in line}


def consistency(g, first, size=None):
    return g.call("GET", f"/v1/log/consistency?first_size={first}" + (f"&tree_size={size}" if size else "")).json()


def test_judgement(g, w):
    """One witness, asked by hand."""
    now = consistency(g, 0)
    size = now["tree_size"]
    check.equal(w.ask(request(5, [], now["checkpoint"])).status, 409, "a wrong idea of the last head")
    check.equal(w.ask(request(5, [], now["checkpoint"])).body, b"0\n", "is answered with the right one")
    first = w.ask(request(0, [], now["checkpoint"]))
    check.that(first.status == 200 and first.body.decode().startswith(f"\u2014 {w.name} "), f"the first head is cosigned {first}")
    check.equal(w.ask(request(size, [], now["checkpoint"])).status, 200, "the same head again")
    g.submit(g.samples("20")[0])
    later = consistency(g, size)
    check.equal(w.ask(request(size, later["path"][1:], later["checkpoint"])).status, 422, "a head without a proof that it continues")
    check.equal(w.ask(request(size, later["path"], later["checkpoint"].replace(str(later["tree_size"]), str(later["tree_size"] + 1), 1))).status, 403, "a head that the log did not sign")
    check.equal(w.ask(request(size, later["path"], later["checkpoint"].replace("gateway", "gatewax"))).status, 404, "another log's head")
    check.equal(w.ask("nonsense").status, 400, "no request at all")
    w.stop()
    w.start("127.0.0.1:0")
    check.equal(w.ask(request(0, [], now["checkpoint"])).status, 409, "after a kill the witness knows the last head")
    check.equal(w.ask(request(size, later["path"], later["checkpoint"])).status, 200, "and goes on from it")


def test_deliveries(g, folder, keys, witnesses):
    # The line of a cosignature begins so; the name alone may stand in a signature by chance.
    marks = [f"\u2014 {entry['name']} " for entry in json.loads(witnesses.read_text())]
    head = wait_until(lambda: (h := g.call("GET", "/v1/log/checkpoint").body.decode()) and all(mark in h for mark in marks) and h)
    check.that(head, "the head has both cosignatures")
    check.equal(verify(folder, head, keys, witnesses, 2), {"head-signature": "ok", "witnesses": "ok"}, "checked offline")
    check.equal(verify(folder, head.replace(marks[0], marks[0].replace("w1", "w9")), keys, witnesses, 2)["witnesses"], "bad", "one witness is too few")
    page = g.call("GET", "/v1/events", token=g.token("l1")).json()
    check.that(marks[0] in page["log_head"], "a page of the feed carries it")
    heads = (g.dir / "store" / "log" / "heads").read_text()
    check.that(heads.count(ORIGIN + "\n") >= 1, "it is kept")


def test_split(g, other_dir, w):
    """The operator restores an old copy, goes on from there and signs with the same key: another history of the same length."""
    with Gateway(folder=other_dir) as split:
        known = int(w.state.read_text().split()[1])
        while consistency(split, 0)["tree_size"] <= known:
            for d in split.samples(f"{30 + consistency(split, 0)['tree_size'] % 20}"):
                split.submit(d)
        proof = consistency(split, known)
        answer = w.ask(request(known, proof["path"], proof["checkpoint"]))
        check.equal(answer.status, 422, "the witness refuses the other history")
        check.equal(int(w.state.read_text().split()[1]), known, "and keeps the head that it has signed")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        keys, witnesses = folder / "jwks", folder / "witnesses.json"
        with Gateway(folder=folder / "gateway") as first:
            keys.write_bytes(first.call("GET", "/.well-known/jwks.json").body)
        shutil.copytree(folder / "gateway", folder / "split")
        conf = folder / "split" / "claimgate.conf"
        conf.write_text(conf.read_text().replace(str(folder / "gateway"), str(folder / "split")))
        w1, w2, by_hand = (Witness(folder, name, keys) for name in ("w1", "w2", "w3"))
        witnesses.write_text(json.dumps([w1.entry, w2.entry]))
        try:
            with Gateway([f"log.witnesses_file={witnesses}", "log.quorum=2", "log.head_every=1"], folder=folder / "gateway") as g:
                g.submit(g.samples("1")[0])
                test_judgement(g, by_hand)
                test_deliveries(g, folder, keys, witnesses)
            test_split(g, folder / "split", w1)
            audit = claimgate("audit", "verify", "--config", folder / "gateway" / "claimgate.conf", "--set", f"http.base_url={ORIGIN}", "--head",
                              folder / "gateway" / "store" / "log" / "heads", "--keys", keys, "--json", check=False)
            check.that(audit.returncode == 0 and json.loads(audit.stdout.splitlines()[-1])["heads"] >= 1, f"the audit finds the kept heads in the log {audit.stdout[-300:]}")
        finally:
            for w in (w1, w2, by_hand):
                w.stop()
    return check.done()


sys.exit(main())
