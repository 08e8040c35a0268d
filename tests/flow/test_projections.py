"""What an insurer was given is kept: who fetches again gets the same bytes, and a use of a permission counts once, when they first leave."""
import sqlite3
import sys

from support import Checks, Gateway, application_of, compact
from test_scenarios import L1, L2, apply, claim_of, key_of, person_of, references_of

checks = Checks()


def given(g, party, claim):
    """The kept part of the answer, as bytes; behind it stand the log's latest head and the filing."""
    body = g.call("GET", f"/v1/claims/{claim}", token=g.token(party)).body
    return body[body.index(b'"case_version":'):body.index(b',"log_head":')]


def rows(g, sql, *values):
    db = sqlite3.connect(f"file:{g.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def file(g, documents, code, kinds, uses=None):
    person = person_of(documents[0])
    application = application_of(person, [(code, "health", ["reimbursement_inpatient"], kinds)], references_of(documents[0]))
    if uses:
        application["insurers"][0]["permission"]["uses"] = uses
    filed = apply(g, application, key_of(person))
    checks.equal(filed.status, 201, f"the application is accepted {filed}")
    return filed


def kept():
    with Gateway() as g:
        documents = g.samples("1")
        g.submit(documents[0])
        filed = file(g, documents, L2, ["certificate", "receipt"])
        claim = claim_of(filed, L2)
        first = given(g, "l2", claim)
        checks.equal(given(g, "l2", claim), first, "the same bytes again, the attestation's signature too")
        checks.equal(g.call("GET", f"/fhir/r4/Claim/{claim}", token=g.token("l2")).status, 200, "and as FHIR")
        g.restart()
        checks.equal(given(g, "l2", claim), first, "after a restart too")
        checks.equal(rows(g, "SELECT count(*) FROM projections"), [(1,)], "one projection is kept")
        kept_body = rows(g, "SELECT body FROM projections")[0][0]
        checks.that(person_of(documents[0])["name"].encode() not in kept_body and b"case_version" not in kept_body, "sealed")
        begun = rows(g, "SELECT count(*) FROM deliveries WHERE projection IS NOT NULL AND begun_at IS NOT NULL")[0][0]
        checks.that(begun >= 2, "its deliveries have begun")
        g.submit(documents[1])
        second = given(g, "l2", claim)
        checks.that(second != first, "a further document gives another projection")
        checks.equal(given(g, "l2", claim), second, "which is kept as well")


def counted():
    with Gateway() as g:
        documents = g.samples("1")
        g.submit(documents[0])
        filed = file(g, documents, L2, ["certificate", "receipt"], uses=1)
        claim = claim_of(filed, L2)
        checks.equal(rows(g, "SELECT uses_left FROM permissions"), [(1,)], "notices count nothing")
        first = given(g, "l2", claim)
        checks.equal(rows(g, "SELECT uses_left FROM permissions"), [(0,)], "what leaves first is the use")
        shown = g.call("GET", f"/v1/claims/{claim}", token=g.token("l2")).json()["documents"]
        originals = [d["original"] for d in shown if "original" in d]
        for path in originals:
            checks.equal(g.call("GET", path, token=g.token("l2")).status, 200, "an original of that projection goes with it")
        events = len(g.call("GET", "/v1/events", token=g.token("l2")).json()["data"])
        late = g.submit(documents[1])
        checks.equal(late.parameter("outcome"), "waiting-permission", "a later document goes to nobody")
        checks.equal(len(g.call("GET", "/v1/events", token=g.token("l2")).json()["data"]), events, "and is told to nobody")
        checks.equal(given(g, "l2", claim), first, "what was given is given again, and nothing newer")
        refused = g.call("GET", f"/v1/claims/{claim}/documents/{late.parameter('document')}", token=g.token("l2"))
        checks.equal((refused.status, refused.code()), (403, "permission-used"), "the later original is refused by its cause")
        status = g.call("POST", f"/v1/claims/{claim}/status", compact({"state": "in_review"}),
                        {"Content-Type": "application/json", "If-Match": '"2"', "Idempotency-Key": "a" * 20}, g.token("l2"))
        checks.equal(status.status, 200, f"the insurer still tells its states {status}")
        checks.equal(rows(g, "SELECT uses_left FROM permissions"), [(0,)], "one use was one use")


def main():
    for play in (kept, counted):
        print(play.__name__, flush=True)
        play()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
