"""Two filings with the same picture at the same moment: one of them at least has the finding, whichever way they cross."""
import sys
import threading

import motor
from motor import Filing
from support import Checks, Gateway

checks = Checks()
ROUNDS = 12


def filed_at_once(g, n):
    """Two owners, two accidents, one picture; both papers are signed before either is sent."""
    words = motor.upload(g, "app", motor.jpeg(2000, seed=1000 + n))
    pair = [Filing(g, "person-wang", f"AAA-{n:04}"), Filing(g, "person-lee", f"BBB-{n:04}")]
    ready, answers = threading.Barrier(2), [None, None]
    signed = []
    for f in pair:
        body = motor.compact(f.begin_paper(claims=(("p1", "own_damage"),), photos=[words], shop=None, accident={"occurred": f"2026-0{1 + n % 9}-01T08:15:00+08:00"}))
        signed.append((body, g.signed(body, f.owner, media="application/json"), g.token("app")))

    def send(i):
        ready.wait()
        answers[i] = g.call("POST", "/v1/motor-filings", *signed[i])
    threads = [threading.Thread(target=send, args=(i,)) for i in (0, 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    checks.equal([a.status for a in answers], [201, 201], f"round {n}: both are accepted {answers}")
    noted = ["photo-reused" in [f["code"] for f in a.json()["findings"]] for a in answers]
    checks.equal(sorted(noted), [False, True], f"round {n}: the later one has the finding, the earlier one not {noted}")


def main():
    with Gateway() as g:
        g.findings = ("photo-reused",)  # what this is about
        for n in range(ROUNDS):
            filed_at_once(g, n)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
