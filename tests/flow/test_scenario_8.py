"""Scenario 8: two disabilities.  The certificate goes to the compulsory insurer and to an injury insurer with a scale of its own; the amounts are the motor rules' for the accident's day; an agreed grade
is paid in advance; a later death pays the rest.

Not played here: grades as facts of the certificate (its text is read, items of a disability scale are not), so that the refusals by the issuer's level and by the fixed date are those of the rules
`issuer-authority` and `date-order` (unit.adapters.case_invariants), not of a submission."""
import sys

from accidents import H1, K1, L2, P1, WANG, AccidentGateway, application, changed, claims_of, decide, expect_file, item, moved, party, record, resource_of, seen_by, send, tell
from support import Checks

checks = Checks()
NO = "11511AC80001"
PAPERS = ("accident-part", "certificate")


def disability(resource):
    if resource["resourceType"] == "Composition":
        for coding in resource["type"]["coding"]:
            if coding["code"].startswith("certificate-"):
                coding["code"] = "certificate-disability"
        resource["title"] = "失能診斷書"


def advice(g, **more):
    said = g.post("p1", "/v1/motor-advice", {"accident_on": g.day(0), "vehicles": ["insured", "insured"], "person": {"place": "driver", "vehicle": 1}, **more})
    checks.equal(said.status, 200, f"advice on {more}: {said}")
    return said.json()


def amounts(g):
    for grades, amount, rule in (([7, 9], 900000, "CALI-S-4-3"), ([10, 14], 440000, None), ([7, 8], 1070000, None), ([2, 4], 2000000, None)):
        said = advice(g, disabilities=grades, paid_before={"medical": 200000})
        checks.equal(said["disability"]["amount"], amount, f"grades {grades}")
        checks.equal((said["fits"]["disability"], said["nhi"]["headroom"]), (amount, 0), "beside 200,000 medical paid before, of which nothing is left")
        checks.that(rule is None or said["disability"]["rule"]["number"] == rule, "by the rule named")
    for paid in (0, 440000, 900000):
        said = advice(g, died=True, paid_before={"medical": 200000, "disability": paid})
        checks.equal(said["fits"]["death"], 2000000 - paid, f"a later death pays 2,000,000 less the {paid} of the disability")
        checks.that(200000 + paid + said["fits"]["death"] <= 2200000, "and all together stays under 2,200,000")
    refused = g.post("p1", "/v1/motor-advice", {"accident_on": g.day(0), "vehicles": ["insured"], "person": {"place": "outside"}, "disabilities": [16]})
    checks.equal(refused.status, 422, "there is no sixteenth grade")


def main():
    with AccidentGateway() as g:
        parties = [party(1, None, "B03", name="張沙箱", vehicle={"plate": "AAA-8001", "insurer_ubn": P1}), party(2, WANG, "C03", vehicle={"plate": "BBB-8002", "insurer_ubn": "12345675"}, injury_degree={"code": "2"}, main_injury={"code": "1"})]
        checks.equal(g.push(record(g, NO, "slip", parties)).status, 201, "the slip")
        certificate = moved(g, changed(g.samples("2")[0], disability))
        visit = {"author": H1, "kind": "visit_no", "value": resource_of(certificate, "Encounter")["identifier"][0]["value"]}
        filed = g.apply(application(WANG, [item(P1, "cali", ["cali_disability", "cali_medical"], PAPERS), item(L2, "injury", ["injury_disability"], ("certificate",))],
                                    [{"author": K1, "kind": "accident_no", "value": NO}, visit], event={"kind": "traffic"}), "person-wang")
        checks.equal(filed.status, 201, f"the application {filed}")
        claims = claims_of(filed)
        stored = send(g, certificate, "h1-dr-lin", "h1")
        checks.equal(stored.status, 201, f"the teaching hospital's certificate {stored}")
        for name, who, claim in (("p1", "p1", claims[P1, "cali"]), ("l2", "l2", claims[L2, "injury"])):
            answer, body = seen_by(g, checks, who, claim)
            expect_file(g, checks, f"8-{name}", body)
            checks.equal(answer["case"]["certificates"][0]["kind"], "disability", f"{who}: the same certificate")
        named = [p["organisation"]["name"] for p in seen_by(g, checks, "p1", claims[P1, "cali"])[0]["case"]["parties"] if "organisation" in p]
        checks.that("12345675" in named, f"an insurer that the registry does not know is called by its number {named}")
        checks.that("cali" not in seen_by(g, checks, "l2", claims[L2, "injury"])[0]["case"]["claims"][0], "the injury insurer has a scale of its own and no advice of the compulsory one")
        amounts(g)

        claim = claims[P1, "cali"]
        checks.equal(tell(g, "p1", claim, "in_review").status, 200, "in review")
        interim = decide(g, "p1", claim, outcome="interim_approved", amount={"amount": "440000", "currency": "TWD"}, reason="CALI-35")
        checks.equal((interim.status, interim.json()["claim"]["state"]), (200, "interim_approved"), f"the agreed grade in advance {interim}")
        forged = decide(g, "p1", claim, signer="l2", outcome="approved", amount={"amount": "900000", "currency": "TWD"})
        checks.equal(forged.code(), "signer-wrong-organisation", "decided by another's key")
        final = decide(g, "p1", claim, outcome="approved", amount={"amount": "900000", "currency": "TWD"})
        checks.equal((final.status, final.json()["claim"]["state"]), (200, "approved"), "and the final grades")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
