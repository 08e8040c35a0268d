"""Scenario 8: two disabilities.  The certificate states items and grades by the compulsory scale and by the injury policies' own; each insurer sees its scale, the compulsory one with what the grades make
together by the rules of the accident's day; an agreed grade is paid in advance; a later death pays the rest.  A clinic certifies no disability, and nobody one that is fixed before the discharge."""
import json
import sys

from accidents import H1, K1, L2, P1, WANG, AccidentGateway, application, changed, claims_of, decide, expect_file, item, moved, party, record, resource_of, seen_by, send, tell
from support import Checks, compact

checks = Checks()
NO = "11511AC80001"
PAPERS = ("accident-part", "certificate", "report")
GRADES = "cali15:7,cali15:9,injury11:6"


def of(documents, word):
    return next(d for d in documents if word in d.name)


def xray(g, certificate):
    """The report on which the grades rest, of the same stay."""
    stay = resource_of(certificate, "Encounter")
    end = stay["period"]["end"]

    def change(resource):
        if resource["resourceType"] == "Encounter":
            resource.update({name: stay[name] for name in ("identifier", "class", "period", "length", "location") if name in stay})
        if resource["resourceType"] == "DiagnosticReport":
            resource["category"][0]["coding"][0]["code"] = "RAD"
            resource["code"] = {"coding": [{"system": "http://loinc.org", "code": "37637-8"}], "text": "脛骨X光攝影"}
            resource |= {"effectiveDateTime": end, "issued": end, "conclusion": "骨折癒合不良，關節活動受限。"}
        if resource["resourceType"] == "Observation":
            resource["valueString"] = "關節活動受限"
    return changed(of(g.samples("35"), "report"), change)


def later_report(g, certificate):
    def change(resource):
        if resource["resourceType"] == "DiagnosticReport":
            resource["conclusion"] = "複查：關節活動仍受限。"
    body = json.loads(changed(xray(g, certificate), change))
    body["identifier"]["value"] += "-later"
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "Composition":
            entry["resource"]["identifier"]["value"] += "-later"
    return compact(body)


def advice(g, **more):
    said = g.post("p1", "/v1/motor-advice", {"accident_on": g.day(0), "vehicles": ["insured", "insured"], "person": {"place": "driver", "vehicle": 1}, **more})
    checks.equal(said.status, 200, f"advice on {more}: {said}")
    return said.json()


def amounts(g):
    for grades, amount, rule in (([7, 9], 900000, "CALI-S-4-3"), ([10, 14], 440000, "CALI-S-4-6"), ([7, 8], 1070000, None), ([2, 4], 2000000, None)):
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


def grades_of(answer):
    return {d["scale"]: [i["grade"] for i in d["items"]] for d in answer["case"].get("disability", [])}


def earlier(g, claim):
    """200,000 of medical costs are paid before anything is certified; the claim is opened again for the disability."""
    checks.equal(tell(g, "p1", claim, "in_review").status, 200, "P1 reviews the medical costs")
    wrong = decide(g, "p1", claim, outcome="approved", benefit="cali_death", amount={"amount": "200000", "currency": "TWD"})
    checks.equal((wrong.status, wrong.code()), (422, "schema-invalid"), "a decision is on a benefit of its claim")
    for outcome in ("approved", "paid"):
        answer = decide(g, "p1", claim, outcome=outcome, benefit="cali_medical", amount={"amount": "200000", "currency": "TWD"})
        checks.equal(answer.status, 200, f"medical: {outcome} {answer}")
    checks.equal([tell(g, "p1", claim, state).status for state in ("reopened", "in_review")], [200, 200], "and opens it again")


def certified(g, certificate):
    """Items and grades, each insurer's own scale, and what they make together."""
    visit = {"author": H1, "kind": "visit_no", "value": resource_of(certificate, "Encounter")["identifier"][0]["value"]}
    filed = g.apply(application(WANG, [item(P1, "cali", ["cali_disability", "cali_medical"], PAPERS), item(L2, "injury", ["injury_disability"], ("certificate",))],
                                [{"author": K1, "kind": "accident_no", "value": NO}, visit], event={"kind": "traffic"}), "person-wang")
    checks.equal(filed.status, 201, f"the application {filed}")
    claims = claims_of(filed)
    earlier(g, claims[P1, "cali"])
    stored = send(g, certificate, "h1-dr-lin", "h1")
    checks.equal(stored.status, 201, f"the teaching hospital's certificate {stored}")
    picture = send(g, xray(g, certificate), "h1-dr-lin", "h1")
    checks.equal(picture.status, 201, f"and its X-ray {picture}")
    seen = {}
    for name, who, claim in (("p1", "p1", claims[P1, "cali"]), ("l2", "l2", claims[L2, "injury"])):
        seen[name], body = seen_by(g, checks, who, claim)
        expect_file(g, checks, f"8-{name}", body)
        checks.equal(seen[name]["case"]["certificates"][0]["kind"], "disability", f"{who}: the same certificate")
    checks.equal(grades_of(seen["p1"]), {"cali15": [7, 9]}, "P1 sees the grades of the compulsory scale")
    checks.equal(grades_of(seen["l2"]), {"injury11": [6]}, "L2 sees the grade of its own scale in the same certificate")
    stated = seen["p1"]["case"]["disability"][0]
    checks.equal(stated["combined"], {"grade": 6, "rule": "CALI-S-4-3", "amount": {"amount": "900000", "currency": "TWD"}}, "7 and 9 count as 6: 900,000, by the rule named")
    said = seen["p1"]["case"]["claims"][0]["cali"]
    checks.equal((said["paid_before"]["medical"]["amount"], said["nhi_headroom"]["amount"], said["ceiling"]["amount"]), ("200000", "0", "2200000"),
                 "what was paid before: nothing is left for the health insurance, 2,000,000 under the ceiling")
    checks.equal(stated["issuer_level"], "medical_centre", "with the level of the hospital in the registry")
    checks.equal([(r["kind"], r["conclusion"]) for r in seen["p1"]["case"]["reports"]], [("imaging", "骨折癒合不良，關節活動受限。")], "with the X-ray that the grades rest on")
    checks.that("reports" not in seen["l2"]["case"], "L2 was not permitted it")
    checks.that("combined" not in seen["l2"]["case"]["disability"][0], "the injury insurer gets no combination by another's rules")
    named = [p["organisation"]["name"] for p in seen["p1"]["case"]["parties"] if "organisation" in p]
    checks.that("12345675" in named, f"an insurer that the registry does not know is called by its number {named}")
    checks.that("cali" not in seen["l2"]["case"]["claims"][0], "the injury insurer has no advice of the compulsory one")
    return claims


def refusals(g):
    """What the scenario refuses is refused at the door, with its place, and stored nowhere."""
    before = g.counts()["documents"]
    clinic = next(d for seed in range(200, 600) for d in g.samples(str(seed), grades="cali15:7") if d.author == "c1" and "disability" in d.name)
    answer = send(g, clinic.body, "c1", "c1")
    checks.equal((answer.status, answer.code()), (422, "issuer-authority"), f"a clinic is below the level that the scale asks for {answer}")
    injury = next(d for d in g.samples(clinic.name.split("-")[0], g.dir / "injury", grades="injury11:7") if "disability" in d.name)
    early = of(g.samples("2", g.dir / "early", grades="cali15:7", fixed_on="2026-01-01"), "disability")
    answer = send(g, early.body, "h1-dr-lin", "h1")
    checks.equal((answer.status, answer.code()), (422, "disability-not-fixed"), f"fixed before the discharge {answer}")
    checks.that("effectiveDateTime" in answer.body.decode(), "with the place")
    for grades, code in (("cali15:16", "out-of-range"), ("injury11:12", "out-of-range"), ("cali16:7", "code-invalid")):
        wrong = of(g.samples("2", g.dir / grades.replace(":", "-"), grades=grades), "disability")
        answer = send(g, wrong.body, "h1-dr-lin", "h1")
        checks.equal((answer.status, answer.code()), (422, code), f"{grades}: {answer}")
    checks.equal(g.counts()["documents"], before, "nothing of them is stored")
    checks.equal(send(g, injury.body, "c1", "c1").status, 201, "the injury policies' scale asks for no level")


def main():
    with AccidentGateway() as g:
        parties = [party(1, None, "B03", name="張沙箱", vehicle={"plate": "AAA-8001", "insurer_ubn": P1}),
                   party(2, WANG, "C03", vehicle={"plate": "BBB-8002", "insurer_ubn": "12345675"}, injury_degree={"code": "2"}, main_injury={"code": "1"})]
        checks.equal(g.push(record(g, NO, "slip", parties)).status, 201, "the slip")
        sample = of(g.samples("2", grades=GRADES), "disability")
        checks.that(WANG["identifiers"][0]["value"].encode() in sample.body and sample.author == "h1", "the rider's certificate of the teaching hospital")
        certificate = moved(g, sample.body)
        claims = certified(g, certificate)
        amounts(g)
        refusals(g)

        claim = claims[P1, "cali"]
        interim = decide(g, "p1", claim, outcome="interim_approved", benefit="cali_disability", amount={"amount": "440000", "currency": "TWD"}, reason="CALI-35")
        checks.equal((interim.status, interim.json()["claim"]["state"]), (200, "interim_approved"), f"the agreed grade in advance {interim}")
        forged = decide(g, "p1", claim, signer="l2", outcome="approved", amount={"amount": "900000", "currency": "TWD"})
        checks.equal(forged.code(), "signer-wrong-organisation", "decided by another's key")
        checks.equal(send(g, later_report(g, certificate), "h1-dr-lin", "h1").status, 201, "a further report")
        given = seen_by(g, checks, "p1", claim)[0]["case"]["claims"][0]["cali"]["interim"]
        checks.equal([(i["kind"], i["amount"]["amount"]) for i in given], [("disability_grade", "440000")], "what was given in advance is seen")
        final = decide(g, "p1", claim, outcome="approved", benefit="cali_disability", amount={"amount": "900000", "currency": "TWD"})
        checks.equal((final.status, final.json()["claim"]["state"]), (200, "approved"), "and the final grades")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
