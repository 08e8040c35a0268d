#!/usr/bin/env python3
"""Time-stamps with a real authority over HTTP (`claimgate pki serve`): stamped in batches, an outage queues, marks and drains, lies are refused,
the operator's limit turns papers away; proofs of time are checked offline, renewed before the authority's certificate ends, and after that hold
only because of it."""
import sys
import tempfile
import zipfile

from support import *

check = Checks()
DAY = 86400
LIES = ("slow", "wrong-signer", "wrong-nonce", "wrong-imprint", "wrong-policy", "replayed")


class Stamping(Gateway):
    """A sandbox whose log is stamped every hour of its clock, so that a test says when."""

    def __init__(self, limit=0):
        super().__init__(settings=["time.every=3600", "time.timeout=1", "time.policy=2.16.886.101.0.3.999.1", f"time.limit={limit}", "http.base_url=http://gateway.example.tw"])

    def start(self):
        if not hasattr(self, "authority"):
            self.authority = Responder(self.pki)
            self.settings.append(f"time.authorities=http://127.0.0.1:{self.authority.port}/tsa")
        super().start()

    def __exit__(self, *what):
        if hasattr(self, "authority"):
            self.authority.stop()
        super().__exit__(*what)

    def pass_time(self, seconds):
        self.authority.order(clock=seconds)
        return super().pass_time(seconds)

    def send(self, document):
        answer = self.submit(document)
        check.equal(answer.status, 201, f"{document.name} is accepted: {answer}")
        return answer.parameter("submission")

    def receipt(self, submission, who):
        return self.call("GET", f"/v1/receipts/{submission}", token=self.token(who)).json()

    def stamped(self, submission, who):
        return wait_until(lambda: self.receipt(submission, who)["time"]["state"] == "stamped" and self.receipt(submission, who), 30)

    def metric(self, name, labels=""):
        found = re.search(rf"^{name}{re.escape(labels)} (\d+)", self.ops("/metrics").body.decode(), re.M)
        return int(found.group(1)) if found else 0

    def refused(self):
        return self.metric("claimgate_time_stamps_total", '{result="refused"}')


def verify(g, folder, submission, who, answer, **options):
    """Offline, by another process: (exit code, result of the check of time, whole output)."""
    size = answer["time"].get("tree_size")
    files = {"receipt": answer["receipt"].encode(), "time": compact(answer), "keys": g.call("GET", "/.well-known/jwks.json").body,
             "proof": g.call("GET", f"/v1/receipts/{submission}/proof" + (f"?tree_size={size}" if size else ""), token=g.token(who)).body}
    for name, body in files.items():
        (folder / name).write_bytes(options.pop(name, body))
    words = ["verify", "receipt", folder / "receipt", "--keys", folder / "keys", "--proof", folder / "proof", "--time", folder / "time", "--json"]
    if options.pop("trust", True):
        words += ["--trust", g.pki / "trust.json", "--sandbox"]
    options.setdefault("at", days_from_now(2))
    for name, value in options.items():
        words += [f"--{name}", value]
    done = claimgate(*words, check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, next((line for line in lines if line.get("check") == "time"), {}), lines


def days_from_now(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + n * DAY))


def batches(g, folder, documents):
    """One stamp covers all that came before it; the first comes with the start."""
    sent = [(d, g.send(d)) for d in documents[:4]]
    g.pass_time(3600)
    answers = [(d, s, g.stamped(s, d.author)) for d, s in sent]
    check.that(all(a for _, _, a in answers), "all are stamped")
    check.equal(len({a["time"]["tree_size"] for _, _, a in answers}), 1, "by one stamp")
    for d, s, a in answers:
        code, step, lines = verify(g, folder, s, d.author, a)
        check.equal((code, step.get("result")), (0, "ok"), f"{d.name}: its time is proved offline {lines}")
    d, s, a = answers[0]
    record = base64.b64decode(a["time"]["record"])
    check.equal(verify(g, folder, s, d.author, a, policy="1.2.3.4")[1].get("code"), "time-stamp-invalid", "another policy is refused")
    check.equal(verify(g, folder, s, d.author, a, trust=False)[1].get("result"), "open", "without roots the check is open")
    for what, change in (("a record that lost a byte", {"record": base64.b64encode(record[:-1]).decode()}), ("another head", {"head": a["time"]["head"].replace("\n", "\n0", 1)}),
                         ("a record with a changed byte", {"record": base64.b64encode(record[:len(record) // 2] + bytes([record[len(record) // 2] ^ 1]) + record[len(record) // 2 + 1:]).decode()})):
        code, step, _ = verify(g, folder, s, d.author, {**a, "time": {**a["time"], **change}})
        check.equal((code, step.get("result")), (7, "bad"), what)
    code, _, lines = verify(g, folder, s, d.author, a, proof=g.call("GET", f"/v1/receipts/{s}/proof?tree_size={a['time']['tree_size'] - 1}", token=g.token(d.author)).body)
    check.equal(code, 7, f"a proof below another head {lines}")


def outage(g, folder, documents):
    """Down for 24 hours: papers are accepted and marked, and one stamp drains all."""
    g.authority.order(mode="down", of="tsa")
    sent = []
    for hour, d in enumerate(documents[:6]):
        s = g.send(d)
        check.equal(g.receipt(s, d.author)["time"], {"state": "pending"}, f"hour {4 * hour}: its time is pending")
        code, step, _ = verify(g, folder, s, d.author, g.receipt(s, d.author))
        check.equal((code, step.get("result")), (0, "open"), f"hour {4 * hour}: the receipt holds, its time is open")
        sent.append((d, s))
        g.pass_time(4 * 3600)
    check.that(wait_until(lambda: g.metric("claimgate_time_stamp_waiting_seconds") >= 20 * 3600), "the metric says for how long the oldest waits")
    g.authority.order(mode="ok", of="tsa")
    g.pass_time(3600)
    sizes = {(g.stamped(s, d.author) or {"time": {}})["time"].get("tree_size") for d, s in sent}
    check.that(len(sizes) == 1 and None not in sizes, f"one stamp drains all that waited {sizes}")
    check.that(wait_until(lambda: g.metric("claimgate_time_stamp_waiting_seconds") == 0), "nothing waits")


def lies(g, documents):
    """An answer that does not hold is none: the entry waits, until a good one comes."""
    for mode, d in zip(LIES, documents):
        s = g.send(d)
        before = g.refused()
        g.authority.order(mode=mode, of="tsa")
        g.pass_time(3600)
        check.that(wait_until(lambda: g.refused() > before, 30), f"{mode}: the answer is refused")
        check.equal(g.receipt(s, d.author)["time"], {"state": "pending"}, f"{mode}: the entry waits")
        g.authority.order(mode="ok", of="tsa")
        g.pass_time(3600)
        check.that(g.stamped(s, d.author), f"{mode}: stamped by a good answer")


def quiet(g):
    """Stamps are entries of the log themselves, and do not beget stamps."""
    count = lambda: g.metric("claimgate_time_stamps_total", '{result="ok"}')
    for _ in range(2):
        g.pass_time(3600)
    length = g.metric("claimgate_log_chain_length")
    before = count()
    for _ in range(3):
        g.pass_time(3600)
    check.that(count() <= before + 1, f"an idle gateway asks for no stamps: {count() - before}")
    check.that(g.metric("claimgate_log_chain_length") <= length + 2, "and its log does not grow")


def renewal(g, folder, submission, who):
    """What one authority's certificate proves only until its end, a renewal proves further; a new hash tree too."""
    old = g.receipt(submission, who)
    check.equal(verify(g, folder, submission, who, old, at=days_from_now(600))[1].get("result"), "ok", "before the authority's end")
    check.equal(verify(g, folder, submission, who, old, at=days_from_now(800))[1].get("code"), "certificate-time", "after it: no longer")
    check.equal(claimgate("audit", "renew", "--config", g.dir / "claimgate.conf", "--json").stdout, b'{"renewed":false}\n', "nothing is to be renewed yet")
    g.authority.order(tsa="tsa-next")
    g.pass_time(620 * DAY)
    record = lambda: g.receipt(submission, who)["time"]["record"]
    check.that(wait_until(lambda: record() != old["time"]["record"], 30), "renewed by itself, ahead of the end")
    new = g.receipt(submission, who)
    code, step, lines = verify(g, folder, submission, who, new, at=days_from_now(800))
    check.equal((code, step.get("result")), (0, "ok"), f"it holds after the first authority's end {lines}")
    check.equal(new["time"]["at"], old["time"]["at"], "and says the same time")
    before = record()
    check.equal(claimgate("audit", "renew", "--config", g.dir / "claimgate.conf", "--hash", "sha512", "--json").stdout, b'{"renewed":true}\n', "a new hash tree")
    check.that(len(record()) > len(before), "the record has a second chain")
    code, step, lines = verify(g, folder, submission, who, g.receipt(submission, who), at=days_from_now(800))
    check.equal((code, step.get("result")), (0, "ok"), f"it holds with the new hash {lines}")
    check.that("/2," in step.get("detail", "/2,"), "two chains")


def later(g, folder, documents):
    """What comes after a renewal is stamped with the new hash, and has its record too."""
    d = documents[0]
    s = g.send(d)
    g.pass_time(3600)
    a = g.stamped(s, d.author)
    check.that(a, "stamped after the renewal")
    code, step, lines = verify(g, folder, s, d.author, a, at=days_from_now(800))
    check.equal((code, step.get("result")), (0, "ok"), f"a later paper's time {lines}")


def package(g, folder, case, keys):
    """Evidence of a case holds the proofs of time, beside a running gateway."""
    out = folder / "case.zip"
    words = ["evidence", "export", case, "--config", g.dir / "claimgate.conf", "--set", f"http.base_url={g.base_url}", "--out", out]
    claimgate(*words)
    (folder / "keys").write_bytes(keys)
    words = ["verify", "package", out, "--keys", folder / "keys", "--trust", g.pki / "trust.json", "--sandbox", "--json", "--at"]
    done = claimgate(*words, days_from_now(800), check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    times = [line for line in lines if line.get("check") == "time"]
    check.that(done.returncode == 0 and times and all(line["result"] == "ok" for line in times), f"the package's times hold {lines}")
    check.equal(claimgate(*words, days_from_now(3100), check=False).returncode, 7, "and not behind the end of the last authority")
    with zipfile.ZipFile(out) as z:
        check.that("時戳" in z.read("report.zh-TW.txt").decode() and "time-stamp" in z.read("report.en.txt").decode(), "the report tells of time")


def limit():
    """Behind the operator's limit papers are turned away with a code of their own, and taken again when stamps come."""
    with Stamping(limit=7200) as g:
        documents = [d for d in g.samples("1..6") if not d.is_xml]
        g.authority.order(mode="down", of="tsa")
        g.send(documents[0])
        g.pass_time(3600)
        g.send(documents[1])
        check.that(wait_until(lambda: g.metric("claimgate_time_stamp_waiting_seconds") >= 3600), "the oldest waits")
        g.pass_time(2 * 3600)
        answer = g.submit(documents[2])
        check.equal((answer.status, answer.code(), answer.headers.get("retry-after")), (503, "time-stamp-overdue", "60"), "behind the limit")
        answer = g.submit(documents[2], query="?dry-run=true")
        check.equal(answer.status, 200, "a dry run stores nothing and is answered")
        g.authority.order(mode="ok", of="tsa")
        g.pass_time(3600)
        check.that(wait_until(lambda: g.submit(documents[2]).status == 201, 30, 0.2), "taken again when the authority answers")


def main():
    with Stamping() as g, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        documents = g.samples("1..12")
        batches(g, folder, documents)
        first = g.submit(documents[0])
        outage(g, folder, documents[4:10])
        lies(g, documents[10:16])
        quiet(g)
        renewal(g, folder, first.parameter("submission"), documents[0].author)
        later(g, folder, documents[16:])
        package(g, folder, first.parameter("case"), g.call("GET", "/.well-known/jwks.json").body)
        done = claimgate("audit", "verify", "--config", g.dir / "claimgate.conf", "--set", f"http.base_url={g.base_url}", check=False)
        check.equal(done.returncode, 0, f"stamps and renewals are rows that the log covers {done.stdout.decode()[-300:]}")
    limit()
    return check.done()


sys.exit(main())
