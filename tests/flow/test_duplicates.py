#!/usr/bin/env python3
"""64 senders of one document at one moment: one is the first, 63 get the same receipt.  CLAIMGATE_ROUNDS says how often (20; 1000 for the full run)."""
import sys

from support import *

SENDERS = 64
ROUNDS = int(os.environ.get("CLAIMGATE_ROUNDS", "20"))
FIRST_SEED = 2000
check = Checks()


class Race:
    """One kept-alive connection per thread; all threads start each round together."""

    def __init__(self, g):
        self.g = g
        self.start, self.finish = threading.Barrier(SENDERS + 1), threading.Barrier(SENDERS + 1)
        self.document = self.token = None
        self.answers = [None] * SENDERS
        self.threads = [threading.Thread(target=self.send, args=(i,), daemon=True) for i in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, i):
        client = self.g.client()
        while True:
            self.start.wait()
            if self.document is None:
                client.close()
                return
            try:
                self.answers[i] = client.call("POST", "/fhir/r4/Bundle", self.document.body, self.document.headers, self.token)
            except (OSError, http.client.HTTPException) as e:
                self.answers[i] = e
            self.finish.wait()

    def round(self, document):
        self.document, self.token = document, self.g.token(document.author)
        self.start.wait()
        self.finish.wait(120)
        return list(self.answers)

    def end(self):
        self.document = None
        self.start.wait()
        for thread in self.threads:
            thread.join(10)


def check_round(n, answers):
    bad = [a for a in answers if not isinstance(a, Answer) or a.status not in (200, 201)]
    if not check.equal(bad[:3], [], f"round {n}: every sender is answered 200 or 201"):
        return None
    created = [a for a in answers if a.status == 201]
    check.equal(len(created), 1, f"round {n}: answers with 201")
    check.equal(len({a.parameter("receipt") for a in answers}), 1, f"round {n}: different receipts")
    check.equal(len({(a.parameter("document"), a.parameter("submission"), a.parameter("case")) for a in answers}), 1, f"round {n}: different ids")
    check.equal({a.parameter("outcome") for a in answers if a.status == 200}, {"duplicate"}, f"round {n}: outcome of the others")
    return answers[0].parameter("receipt")


def main():
    with Gateway() as g:
        # Two documents a set or more, six sets in seven; enough for all rounds.
        documents = g.samples(f"{FIRST_SEED}..{FIRST_SEED + ROUNDS * 2 // 3 + 2}")[:ROUNDS]
        check.equal(len(documents), ROUNDS, "documents for all rounds")
        race, receipts = Race(g), []
        began = time.monotonic()
        for n, document in enumerate(documents):
            receipts.append(check_round(n, race.round(document)))
        seconds = time.monotonic() - began
        race.end()
        counts = g.counts()
        check.equal((counts["documents"], counts["receptions"]), (ROUNDS, ROUNDS), "one document and one reception a round")
        check.equal(len(set(receipts)), ROUNDS, "a receipt of its own for each document")
        check.equal(counts["refusals"], 0, "no refusal")
        check.equal(g.stop(), 0, "the gateway ends cleanly")
        print(f"{ROUNDS} rounds of {SENDERS} in {seconds:.1f} s")
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
