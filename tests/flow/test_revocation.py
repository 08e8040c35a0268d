#!/usr/bin/env python3
"""Revocation drills with real processes: responders and lists that are down, slow, lying or old; signers revoked before and after;
24 simulated hours without any answer.  Every document carries its level; upgrades and recalls reach the insurers."""
import http.server
import sys

from support import *

check = Checks()
PLAIN = {"Content-Type": "application/json"}
HOUR = 3600


class Receiver:
    """An insurer's endpoint: the notices that came, each checked by the gateway's key offline."""

    def __init__(self, g, name):
        self.g, self.name, self.got = g, name, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, dict(self.headers.items())))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        answer = g.call("POST", "/v1/webhook-endpoints", compact({"url": f"http://127.0.0.1:{self.server.server_port}/notices"}),
                        {**PLAIN, "Idempotency-Key": "hook" * 6}, g.token(name))
        check.equal(answer.status, 201, f"{name} has an endpoint {answer}")

    def has(self, kind, document):
        """A notice names the claim only; which event it is of, the insurer's feed tells."""
        events = self.g.call("GET", "/v1/events?limit=200", token=self.g.token(self.name)).json()["data"]
        ids = {e["id"] for e in events if (e["type"], e.get("document")) == (kind, document)}
        return [(body, headers) for body, headers in list(self.got) if json.loads(body)["id"] in ids]

    def told(self, kind, document, text):
        """A notice of this kind about the document comes, and its signature holds."""
        found = wait_until(lambda: self.has(kind, document), 30)
        if not check.that(found, f"{text}: {kind} by webhook {[b for b, _ in self.got][-3:]}"):
            return
        body, headers = found[0]
        files = [self.g.dir / name for name in ("hook.json", "hook.headers", "hook.jwks")]
        files[0].write_bytes(body)
        files[1].write_text("".join(f"{k}: {v}\n" for k, v in headers.items()))
        files[2].write_bytes(self.g.call("GET", "/.well-known/jwks.json").body)
        done = claimgate("verify", "webhook", files[0], "--headers", files[1], "--keys", files[2], check=False)
        check.equal(done.returncode, 0, f"{text}: the notice is signed {done.stdout.decode()}")


class Drill(Gateway):
    """A sandbox whose trust list names the responder instead of files; its clock and the responder's move together."""

    def __init__(self, policy=None, lists=True, settings=(), **more):
        self.policy, self.lists = policy or {}, lists
        super().__init__(settings=["revocation.timeout=1", *settings], **more)

    def start(self):
        if not hasattr(self, "responder"):
            self.responder = Responder(self.pki)
            self.write_trust()
            (self.dir / "policy.json").write_bytes(compact(self.policy))
            self.settings.append(f"trust.policy={self.dir}/policy.json")
        super().start()

    def write_trust(self):
        trust, at = json.loads((self.pki / "trust.json").read_text()), f"http://127.0.0.1:{self.responder.port}"
        for use, ca in (("hca", "hca"), ("gca", "gca"), ("moica", "moica"), ("moeaca", "moeaca")):
            trust["uses"][use].pop("crls", None)
            trust["uses"][use]["ocsp"] = f"{at}/ocsp/{ca}"
            if self.lists:
                trust["uses"][use]["crl"] = f"{at}/crl/{ca}.crl"
        (self.pki / "trust.json").write_bytes(compact(trust))

    def __exit__(self, *what):
        if hasattr(self, "responder"):
            self.responder.stop()
        super().__exit__(*what)

    def pass_time(self, seconds):
        self.responder.order(clock=seconds)
        return super().pass_time(seconds)

    # what is seen

    def level(self, document):
        db = sqlite3.connect(f"file:{self.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
        try:
            words = {0: "refused", 1: "pending", 2: "cached-within-grace", 3: "verified-crl", 4: "verified-ocsp", 5: "registered-key"}
            row = db.execute("SELECT level, state FROM documents WHERE id = ?", (uid_bytes(document),)).fetchone()
            return words[row[0]] if row[1] == "current" else row[1]
        finally:
            db.close()

    def events(self, insurer):
        answer = self.call("GET", "/v1/events?limit=200", token=self.token(insurer))
        return [(e["type"], e.get("document")) for e in answer.json()["data"]]

    def wait_level(self, document, level, text):
        got = wait_until(lambda: self.level(document) == level, 60)
        return check.that(got, f"{text}: {self.level(document)}, not {level}")


def uid_bytes(text):
    """The 16 bytes of a printed id (Crockford's base 32)."""
    n = 0
    for c in text.split("-", 1)[1]:
        n = n * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(c)
    return n.to_bytes(16, "big")


INSURERS = {"l1": "99000116", "l2": "99000220", "l3": "99000333"}
PEOPLE = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen", "B280120005": "person-grandma"}  # all of age


def resource(document, kind):
    return next(entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind)


class Papers:
    """Certificates of the first hospital, each with its person's application to three insurers; signed anew by whom a drill wants."""

    def __init__(self, g, seeds="1..20"):
        self.g = g
        usable = [d for d in g.samples(seeds) if not d.is_xml and any(number.encode() in d.body for number in PEOPLE)]
        found = [d for d in usable if "-1-certificate" in d.name]
        self.receipts = [d for d in usable if "-2-receipt" in d.name and d.author == "h1"]
        self.of = {author: [d for d in found if d.author == author] for author in ("h1", "h2")}

    def apply(self, body):
        patient = resource(body, "Patient")
        number = next(i for i in patient["identifier"] if i["value"] in PEOPLE)
        person = {"identifiers": [{"system": number["system"], "value": number["value"]}], "name": patient["name"][0]["text"], "birth_date": patient["birthDate"]}
        visit = {"author": resource(body, "Organization")["identifier"][0]["value"], "kind": "visit_no", "value": resource(body, "Encounter")["identifier"][0]["value"]}
        insurers = [(code, "health", ["daily_hospital"], ["certificate", "receipt", "report"]) for code in INSURERS.values()]
        signed = self.g.application(application_of(person, insurers, [visit]), PEOPLE[number["value"]])
        answer = self.g.call("POST", "/v1/applications", signed, PLAIN, self.g.token("app"))
        check.equal(answer.status, 201, f"the application {answer}")

    def send(self, signer, apply=True, paper=None):
        """Submits the next paper signed by that party: (answer, document id)."""
        author = signer[:2]
        d = paper or self.of[author].pop(0)
        if apply:
            self.apply(json.loads(d.body))
        answer = self.g.call("POST", "/fhir/r4/Bundle", d.body, self.g.signed(d.body, signer), self.g.token(author))
        return answer, answer.parameter("document") if answer.status == 201 else None


def who_has(g, document, event="document.available"):
    return {name for name in INSURERS if (event, document) in g.events(name)}


def in_claims(g, document):
    """Insurers whose view of some claim shows the paper, with the level it carries there."""
    seen = {}
    for name in INSURERS:
        for e in g.call("GET", "/v1/events?limit=200", token=g.token(name)).json()["data"]:
            if e["type"] == "claim.opened":
                for d in g.call("GET", e["href"], token=g.token(name)).json()["documents"]:
                    if d["id"] == document:
                        seen[name] = d["level"]
    return seen


def refused_count(g):
    found = re.search(r'claimgate_revocation_answers_total\{[^}]*source="ocsp",result="refused"[^}]*\} (\d+)', g.ops("/metrics").body.decode())
    return int(found.group(1)) if found else 0


def set_levels(g):
    """l2 wants verified-crl at least, l3 takes what is pending; l1 takes the policy's default (cached-within-grace)."""
    for name, level in (("l2", "verified-crl"), ("l3", "pending")):
        change = {"kind": "partner.put", "subject": g.partners[name]["id"],
                  "body": {"kind": "insurer", "code": INSURERS[name], "name_zh": name, "scopes": ["claims:read", "claims:write", "events:read", "webhooks:write"],
                           "options": {"token_binding": "off", "min_level": level}}}
        path = g.dir / "change.json"
        path.write_bytes(compact(change))
        claimgate("partner", "propose", path, "--operator", g.pki / "op1.key", "--config", g.dir / "claimgate.conf")


def bad_responders(g, papers, hook):
    """Down, slow, lying: the paper is accepted, pending, held from those who ask for more, and released when an answer counts."""
    for mode, signer in (("down", "h1-dr-lin"), ("slow", "h1-dr-chen"), ("wrong-signer", "h2-dr-wu")):
        g.responder.order(mode=mode, of="hca")
        before = refused_count(g)
        answer, document = papers.send(signer)
        check.equal((answer.status, answer.parameter("outcome")), (201, "waiting-verification"), f"{mode}: accepted, and waits")
        check.equal(g.level(document), "pending", f"{mode}: the paper's level")
        check.that(wait_until(lambda: refused_count(g) > before), f"{mode}: the bad answer was noticed")
        check.equal(who_has(g, document), {"l3"}, f"{mode}: only who takes what is pending has it")
        check.equal(in_claims(g, document), {"l3": "pending"}, f"{mode}: only he sees it, with its level")
        g.responder.order(mode="ok")
        g.pass_time(1200)
        g.wait_level(document, "verified-ocsp", f"{mode}: raised when the responder answers")
        check.equal(who_has(g, document), {"l1", "l2", "l3"}, f"{mode}: released to all")
        check.equal(who_has(g, document, "document.verified"), {"l3"}, f"{mode}: who had it is told that it is verified")
        hook.told("document.verified", document, mode)
        check.equal(in_claims(g, document), {name: "verified-ocsp" for name in INSURERS}, f"{mode}: all see the level")


def replayed(g, papers):
    """An old good answer is not taken again; the last that counted holds within its grace."""
    g.pass_time(6 * HOUR)
    before = refused_count(g)
    g.responder.order(mode="replayed", of="hca")
    g.pass_time(HOUR)
    check.that(wait_until(lambda: refused_count(g) > before), "replayed: the old answer was refused")
    answer, document = papers.send("h1-dr-lin")
    check.equal(answer.status, 201, "replayed: accepted")
    level = g.level(document)
    check.that(level in ("cached-within-grace", "verified-ocsp"), f"replayed: {level}")
    g.responder.order(mode="ok")
    g.pass_time(1200)
    g.wait_level(document, "verified-ocsp", "replayed: raised by a new answer")


def a_day_without(g, papers):
    """24 hours without any responder: every paper is accepted within the grace, carries its level, reaches who takes it; all rise at the end."""
    applied = {}
    for hour in (0, 9, 18):
        applied[hour] = papers.of["h1"].pop(0)
        before = len([e for e in g.events("l2") if e[0] == "claim.opened"])
        papers.apply(json.loads(applied[hour].body))
        check.that(wait_until(lambda: len([e for e in g.events("l2") if e[0] == "claim.opened"]) > before), "the person's application is sure")
    g.responder.order(mode="down")
    g.pass_time(3 * HOUR)
    sent = []
    for hour in range(24):
        receipt = None if hour in applied or not papers.receipts else papers.receipts.pop(0)
        answer, document = papers.send("h1" if receipt else "h1-dr-lin", False, receipt or applied.get(hour))
        check.equal(answer.status, 201, f"hour {hour}: accepted")
        check.equal(g.level(document), "cached-within-grace", f"hour {hour}: its level")
        if hour in applied:
            check.equal(who_has(g, document), {"l1", "l3"}, f"hour {hour}: held from who wants a verified signer")
        sent.append((document, hour in applied))
        g.pass_time(HOUR)
    g.responder.order(mode="ok")
    g.pass_time(1200)
    for document, with_claims in sent:
        g.wait_level(document, "verified-ocsp", "a day without: raised at the end")
        if with_claims:
            check.that(wait_until(lambda: who_has(g, document) == set(INSURERS)), f"a day without: released at the end: {who_has(g, document)}")


def revoked(g, papers):
    """Superseded: what was signed before stands, what comes after is refused.  keyCompromise: what was received since the key was in doubt is recalled."""
    _, stays = papers.send("h1-dr-chen")
    g.wait_level(stays, "verified-ocsp", "revoked after: verified before")
    g.pass_time(HOUR)
    g.responder.order(revoke="h1-dr-chen", reason=4, seconds=-60)
    g.pass_time(4 * HOUR)
    check.that(wait_until(lambda: papers.g.call("POST", "/fhir/r4/Bundle?dry-run=true", papers.of["h1"][0].body, papers.g.signed(papers.of["h1"][0].body, "h1-dr-chen"),
                                                papers.g.token("h1")).code() == "certificate-revoked"), "revoked before: a later paper is refused")
    answer, _ = papers.send("h1-dr-chen", apply=False)
    check.equal((answer.status, answer.code()), (422, "certificate-revoked"), "revoked before: refused with its own code")
    check.equal(g.level(stays), "verified-ocsp", "superseded: what was accepted before stands")
    check.equal(who_has(g, stays, "document.recalled"), set(), "superseded: no recall")


def compromised(g, papers, hook):
    """A key in doubt: what was received since the invalidity date is recalled, and all who had it are told; what came before stands."""
    _, early = papers.send("h1")
    g.wait_level(early, "verified-ocsp", "compromised: verified before")
    g.pass_time(10 * HOUR)
    _, doubted = papers.send("h1")
    g.wait_level(doubted, "verified-ocsp", "compromised: verified before")
    check.that(wait_until(lambda: who_has(g, doubted) == set(INSURERS)), "compromised: all have it")
    g.pass_time(HOUR)
    g.responder.order(revoke="h1", reason=1, seconds=-60, invalid_seconds=-5 * HOUR)
    g.pass_time(4 * HOUR)
    g.wait_level(doubted, "recalled", "compromised: the paper received while the key was in doubt")
    check.equal(who_has(g, doubted, "document.recalled"), set(INSURERS), "compromised: the recall reaches all who had it")
    hook.told("document.recalled", doubted, "compromised")
    check.equal(in_claims(g, doubted), {}, "compromised: nobody's view shows it")
    answer, _ = papers.send("h1", apply=False)
    check.equal((answer.status, answer.code()), (422, "certificate-revoked"), "compromised: a later paper is refused")
    check.equal(g.level(early), "verified-ocsp", "compromised: a paper from before the doubt stands")


def counted(g, name):
    return sum(int(n) for n in re.findall(rf"^{name} (\d+)", g.ops("/metrics").body.decode(), re.M))


def on_its_way(g, papers):
    """Judged before its signer was revoked, stored after: whoever acts on the answer cannot see the paper yet, and it is recalled all the same.

    Another process holds the store's lock until the responder was asked about everybody, or nearly as long as the store waits for a lock."""
    verified, asked = r'claimgate_signature_verifications_total\{[^}]*\}', r'claimgate_revocation_answers_total\{[^}]*result="ok"[^}]*\}'
    got = []
    paper = papers.of["h2"].pop(0)
    papers.apply(json.loads(paper.body))
    before = counted(g, asked)
    g.pass_time(6 * HOUR)
    check.that(wait_until(lambda: "verified-ocsp" in papers.g.call("POST", "/fhir/r4/Bundle?dry-run=true", paper.body, g.signed(paper.body, "h2"), g.token("h2")).body.decode()),
               "on its way: the signer is in order")
    whole_round = counted(g, asked) - before
    lock = sqlite3.connect(g.dir / "store" / "claimgate.db", isolation_level=None, timeout=10)
    lock.execute("BEGIN IMMEDIATE")
    before = counted(g, verified)
    sender = threading.Thread(target=lambda: got.append(papers.send("h2", False, paper)))
    sender.start()
    check.that(wait_until(lambda: counted(g, verified) > before), "on its way: judged")
    before = counted(g, asked)
    g.responder.order(revoke="h2", reason=1, seconds=-2 * HOUR)
    g.pass_time(4 * HOUR)
    wait_until(lambda: counted(g, asked) >= before + whole_round, 1.5)
    lock.execute("ROLLBACK")
    sender.join()
    lock.close()
    answer, document = got[0]
    check.equal(answer.status, 201, f"on its way: accepted {answer}")
    g.wait_level(document, "recalled", "on its way: recalled")


def rules(lists):
    return Drill(policy={"grace_hours": {"professional": 72, "hospital": 72, "person": 72}, "default_level": "cached-within-grace"}, lists=lists)


def by_responders():
    with rules(False) as g:
        set_levels(g)
        papers = Papers(g, "1..75")
        bad_responders(g, papers, Receiver(g, "l3"))
        replayed(g, papers)
        a_day_without(g, papers)
        revoked(g, papers)
        on_its_way(g, papers)


def by_lists_too():
    with rules(True) as g:
        set_levels(g)
        compromised(g, Papers(g), Receiver(g, "l2"))


if __name__ == "__main__":
    for drill in (by_responders, by_lists_too):
        drill()
    sys.exit(check.done())
