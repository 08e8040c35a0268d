"""The undo of a wrong join: one application joins the stays of two hospitals, an operator separates them again."""
import json
import sys

from support import Checks, Gateway, application_of, claimgate
from test_scenarios import L1, L2, apply, claim_of, key_of, person_of, references_of

checks = Checks()


def two_stays(g):
    """Documents of one person from two hospitals."""
    first = {}
    for seed in range(1, 60):
        documents = [d for d in g.samples(str(seed)) if not d.is_xml]
        if not documents or "certificate" not in documents[0].name:
            continue
        who = json.dumps(person_of(documents[0])["identifiers"])
        if who in first and first[who][0].author != documents[0].author:
            return first[who], documents
        first.setdefault(who, documents)
    raise RuntimeError("no person of the samples was in two hospitals")


def case_get(g, case):
    return json.loads(claimgate("case", "get", case, "--config", g.dir / "claimgate.conf").stdout)["case"]


def documents_of(g, case):
    return {d["document_id"] for d in case_get(g, case)["documents"]}


def split(g, case, operator, check=True):
    return claimgate("case", "split", case, "--operator", g.pki / f"{operator}.key", "--config", g.dir / "claimgate.conf", check=check)


def main():
    with Gateway() as g:
        one, two = two_stays(g)
        person = person_of(one[0])
        a, b = g.submit(one[0]), g.submit(two[0])
        older, younger = a.parameter("case"), b.parameter("case")
        checks.that(older != younger, "two hospitals, two cases")
        apart = apply(g, application_of(person, [(L2, "health", ["reimbursement_inpatient"], ["certificate", "receipt"])], references_of(two[0])), key_of(person))
        checks.equal(apart.json()["case"], younger, "an application for the one stay")
        claim = claim_of(apart, L2)
        alone = documents_of(g, younger)
        joined = apply(g, application_of(person, [(L1, "health", ["daily_hospital"], ["certificate", "receipt"])], references_of(one[0]) + references_of(two[0])), key_of(person))
        checks.equal((joined.status, joined.json().get("case")), (201, older), f"an application for both joins them {joined}")
        checks.that(alone <= documents_of(g, older), "the older case holds all")
        checks.equal(documents_of(g, younger), documents_of(g, older), "the younger id leads to it")
        both = g.call("GET", f"/v1/claims/{claim}", token=g.token("l2")).json()

        checks.equal(split(g, younger, "h1", check=False).returncode != 0, True, "a hospital's key is no operator's")
        checks.equal(split(g, older, "op1", check=False).returncode != 0, True, "the older case was joined to none")
        said = json.loads(split(g, younger, "op1").stdout)
        checks.equal((said["case"], said["from"], said["documents"], said["claims"]), (younger, older, len(alone), 1), "what went back")
        checks.equal(documents_of(g, younger), alone, "the younger case holds what it held")
        checks.that(a.parameter("document") in documents_of(g, older) and not alone & documents_of(g, older), "the older one keeps the rest")
        checks.equal(split(g, younger, "op1", check=False).returncode != 0, True, "once is enough")

        seen = g.call("GET", f"/v1/claims/{claim}", token=g.token("l2")).json()
        checks.that({d["id"] for d in seen["documents"]} < {d["id"] for d in both["documents"]}, "the insurer sees its own case again")
        for party in ("l1", "l2"):
            events = [e["type"] for e in g.call("GET", "/v1/events", token=g.token(party)).json()["data"]]
            checks.equal(events[-1], "case.split", f"{party} is told")
        late = g.submit(two[1])
        checks.equal(late.parameter("case"), younger, "a later paper of that stay finds the younger case")
        checks.equal(g.submit(one[1]).parameter("case"), older, "and one of the other stay the older")
        g.stop()
        audit = claimgate("audit", "verify", "--config", g.dir / "claimgate.conf", check=False)
        checks.equal(audit.returncode, 0, f"the log explains it: {audit.stdout.decode()[-300:]} {audit.stderr.decode()[-300:]}")
        g.start()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
