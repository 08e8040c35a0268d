"""A withdrawal against sends that begin at the same moment, and against a join of cases.

Each race has one permission.  Half of them: a police paper arrives, and its notices go out by webhook.  Half: an insurer fetches its claim for the first time.  The
withdrawal goes off before, with, or behind it.  Whatever left must stand in the withdrawal's answer as begun, and nothing begins after.  WITHDRAWAL_RACES sets the number;
10000 is the full run."""
import base64
import collections
import http.server
import json
import os
import queue
import secrets
import sqlite3
import sys
import threading

from p256 import Key
from support import WANG, Checks, Gateway, application_of, b64url, certificate_der, compact, wait_until
from test_permissions import PLAIN, SLIP, container

checks = Checks()
RACES = int(os.environ.get("WITHDRAWAL_RACES", "240"))
BY_NOTICE, BY_FETCH = {"p1": "99000447", "p2": "99000559", "p3": "99000663"}, {"l1": "99000116", "l2": "99000220", "l3": "99000333"}
WORKERS = 6


class Endpoint:
    """Where the notices go: how many came for each claim."""

    def __init__(self):
        self.got, self.lock = collections.Counter(), threading.Lock()
        self.waiting = {}
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with endpoint.lock:
                    endpoint.got[body["subject"]] += 1
                    seen = endpoint.waiting.get(body["subject"])
                if seen:
                    seen.set()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def key_of(g, name):
    return Key(g.pki / f"{name}.key", base64.b64encode(certificate_der(g.pki / f"{name}.crt")).decode())


class Race:
    def __init__(self, claim, permission, word, order):
        self.claim, self.permission, self.word, self.order = claim, permission, word, order
        self.left, self.listed, self.status = None, None, None


class Field:
    """One gateway, and workers with a connection each."""

    def __init__(self, g, endpoint):
        self.g, self.endpoint = g, endpoint
        self.person, self.police = key_of(g, "person-wang"), key_of(g, "k1")
        self.tokens = {}

    def token(self, name):
        return self.g.token(name)

    def call(self, method, path, body=None, headers=None, token=None):
        return self.g.call(method, path, body, headers, token)

    def post_record(self, record):
        headers = {"Content-Type": "application/json", "X-JWS-Signature": self.police.detached({}, record)}
        return lambda: self.call("POST", "/v1/accident-records", record, headers, self.token("k1"))

    def file(self):
        """An accident's slip, an application to six insurers about it (six races), and a later paper that is not sent yet."""
        number = f"SB{secrets.token_hex(8)}"
        slip = {**SLIP, "accident_no": number}
        self.post_record(compact(slip))()
        kinds = ["accident-part"]
        application = application_of(WANG, [(code, "injury", ["injury_medical"], kinds) for code in [*BY_NOTICE.values(), *BY_FETCH.values()]],
                                     [{"author": "A99010001K", "kind": "accident_no", "value": number}])
        payload, items = container(application)
        signed = {"signature": self.person.jws({"typ": "claimgate-application+jwt"}, payload), "items": items}
        answer = self.call("POST", "/v1/applications", compact(signed), PLAIN, self.token("app"))
        if answer.status != 201:
            raise RuntimeError(f"an application: {answer}")
        races = {}
        for i, claim in enumerate(answer.json()["claims"]):
            word = compact({"signature": self.person.jws({}, compact({"withdraw": claim["permission"]}))})
            races[claim["recipient"]] = Race(claim["claim"], claim["permission"], word, (i + secrets.randbelow(3)) % 3)
        return self.post_record(compact({**slip, "part": "other"})), races

    def withdraw(self, race):
        answer = self.call("POST", f"/v1/permissions/{race.permission}/withdraw", race.word, PLAIN, self.token("app"))
        race.status = answer.status
        race.listed = len(answer.json()["sends_begun"]) if answer.status == 200 else answer

    def fetch(self, race, name):
        answer = self.call("GET", f"/v1/claims/{race.claim}", token=self.token(name))
        race.left = len(answer.json()["documents"]) if answer.status == 200 else 0

    def play(self, pool):
        send_record, races = self.file()
        by_notice, by_fetch = [races[code] for code in BY_NOTICE.values()], [(races[code], name) for name, code in BY_FETCH.items()]
        stored = threading.Event()
        for race in by_notice:
            seen = threading.Event()
            with self.endpoint.lock:
                self.endpoint.waiting[race.claim] = seen
                if self.endpoint.got[race.claim]:
                    seen.set()
            # 0: at once; 1: when the paper is stored, its sends begin just then; 2: when a notice of the claim has come
            gate = {0: None, 1: stored, 2: seen}[race.order]
            pool.put((gate, self.withdraw, race))
        answer = send_record()
        stored.set()
        if answer.status != 201:
            raise RuntimeError(f"a record: {answer}")
        for race, name in by_fetch:
            gate = threading.Event()
            first, second = ((self.fetch, race, name), (self.withdraw, race)) if race.order else ((self.withdraw, race), (self.fetch, race, name))
            pool.put((gate, *first))
            pool.put((gate, *second))
            gate.set()
        return by_notice, [race for race, _ in by_fetch]


def worker(jobs, failed):
    while True:
        job = jobs.get()
        if job is None:
            return
        gate, run, *arguments = job
        try:
            if gate:
                gate.wait(60)
            run(*arguments)
        except Exception as e:  # told at the end: a worker that dies silently would leave the queue waiting
            failed.append(repr(e))
        finally:
            jobs.task_done()


def begun_in_store(g):
    db = sqlite3.connect(f"file:{g.dir}/store/claimgate.db?mode=ro", uri=True, timeout=30)
    try:
        return dict(db.execute("SELECT hex(permission), count(*) FROM deliveries WHERE begun_at IS NOT NULL AND permission IS NOT NULL GROUP BY permission").fetchall())
    finally:
        db.close()


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def uid_hex(text):
    """The 16 bytes behind an id's 26 characters."""
    number = 0
    for c in text.split("-", 1)[1]:
        number = number << 5 | ALPHABET.index(c)
    return f"{number & (1 << 128) - 1:032X}"


def check_races(g, endpoint):
    field, jobs, failed = Field(g, endpoint), queue.Queue(), []
    threads = [threading.Thread(target=worker, args=(jobs, failed), daemon=True) for _ in range(WORKERS)]
    for t in threads:
        t.start()
    by_notice, by_fetch = [], []
    while len(by_notice) + len(by_fetch) < RACES:
        noticed, fetched = field.play(jobs)
        by_notice += noticed
        by_fetch += fetched
        if jobs.qsize() > 64:
            jobs.join()
    jobs.join()
    for _ in threads:
        jobs.put(None)
    checks.equal(failed[:3], [], "the workers")
    races = by_notice + by_fetch
    checks.equal({race.status for race in races}, {200}, "every withdrawal is taken")
    checks.that(wait_until(lambda: all(endpoint.got[r.claim] == r.listed for r in by_notice), 60), "each notice that went out stands in its withdrawal's answer, and no other")
    wrong = [(endpoint.got[r.claim], r.listed) for r in by_notice if endpoint.got[r.claim] != r.listed]
    checks.equal(wrong[:5], [], "notices: came, listed as begun")
    wrong = [(r.left, r.listed) for r in by_fetch if bool(r.left) != bool(r.listed)]
    checks.equal(wrong[:5], [], "fetches: documents that left, sends listed as begun")
    stored = begun_in_store(g)
    wrong = [(stored.get(uid_hex(r.permission), 0), r.listed) for r in races if stored.get(uid_hex(r.permission), 0) != r.listed]
    checks.equal(wrong[:5], [], "begun by the store now, begun by the answer then")
    told = sum(1 for r in by_notice if endpoint.got[r.claim] > 2)  # the application and the slip have gone before
    left = sum(1 for r in by_fetch if r.left)
    print(f"{len(races)} races: by notice {len(by_notice)}, of which the paper's send began first in {told}; by fetch {len(by_fetch)}, of which it left first in {left}")
    checks.that(0 < told < len(by_notice) and 0 < left < len(by_fetch), "both sides win some races")


def check_join(g):
    """A withdrawal that meets a join of cases does not write its claim back into the case that was merged away."""
    field = Field(g, None)

    def file(code, references, path="/v1/applications"):
        payload, items = container(application_of(WANG, [(code, "injury", ["injury_medical"], ["accident-part"])], references))
        signed = {"signature": field.person.jws({"typ": "claimgate-application+jwt"}, payload), "items": items}
        return lambda: g.call("POST", path, compact(signed), PLAIN, g.token("app"))
    for _ in range(10):
        visits = [{"author": "9901010016", "kind": "visit_no", "value": secrets.token_hex(8)} for _ in range(7)]
        file(BY_FETCH["l1"], visits[:1])()
        claims = [file(code, [visit])().json()["claims"][0] for visit, code in zip(visits[1:], [BY_FETCH["l2"], BY_FETCH["l3"], *BY_NOTICE.values(), "99000707"])]
        join = file(BY_FETCH["l1"], visits, "/v1/permissions")
        races = [Race(c["claim"], c["permission"], compact({"signature": field.person.jws({}, compact({"withdraw": c["permission"]}))}), 0) for c in claims]
        threads = [threading.Thread(target=field.withdraw, args=(race,)) for race in races]
        threads.insert(2, threading.Thread(target=join))
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        checks.equal({race.status for race in races}, {200}, "the withdrawals are taken")
    db = sqlite3.connect(f"file:{g.dir}/store/claimgate.db?mode=ro", uri=True, timeout=30)
    try:
        lost = db.execute("SELECT count(*) FROM claims JOIN cases ON cases.id = claims.case_id WHERE cases.merged_into IS NOT NULL").fetchone()[0]
        joined = db.execute("SELECT count(*) FROM cases WHERE merged_into IS NOT NULL").fetchone()[0]
    finally:
        db.close()
    checks.that(joined >= 50, f"the cases were joined ({joined} of 60)")
    checks.equal(lost, 0, "claims that stand in a case that was merged away")


def main():
    endpoint = Endpoint()
    with Gateway() as g:
        for name in BY_NOTICE:
            answer = g.call("POST", "/v1/webhook-endpoints", compact({"url": endpoint.url}), {**PLAIN, "Idempotency-Key": secrets.token_hex(10)}, g.token(name))
            checks.equal(answer.status, 201, f"an endpoint for {name}: {answer}")
        check_races(g, endpoint)
        check_join(g)
        checks.equal(g.stop(), 0, "the gateway ends cleanly")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
