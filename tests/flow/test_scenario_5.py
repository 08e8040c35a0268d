"""Scenario 5: death of a pedestrian, two cars, one of them not insured (A1).  The prosecutor's inquest, the household extract, the slip and the analysis; the heirs apply, one for all; who insures the second
car is looked up: nobody; the insurer and the fund answer jointly; half of the death benefit in advance; the photos are withheld while the investigation is secret."""
import base64
import json
import sys

from accidents import FUND, J1, K1, L3, LEE, O1, P1, WANG, AccidentGateway, application, claims_of, decide, expect_file, findings_of, item, mandate, party, record, seen_by, tell
from covers import CIR, CoverDesk, ask, ended
from motor import jpeg, upload
from support import Checks, certificate_der, compact, from_b64url, jws_es256

checks = Checks()
NO, EXTRACT = "11511AC50001", "HH-500001"
DEAD = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "E190150007"}], "name": "陳沙箱", "birth_date": "1950-02-01"}
NGUYEN = {"identifiers": [{"system": "http://www.immigration.gov.tw", "value": "A890110003"}], "name": "NGUYEN THI SANDBOX", "birth_date": "1986-02-20"}
GRANDMA = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B280120005"}], "name": "王陳沙箱", "birth_date": "1952-09-30"}
HEIRS = [{**LEE, "relation": "spouse"}, {**WANG, "relation": "child"}, {**NGUYEN, "relation": "child"}]
REFERENCES = [{"author": K1, "kind": "accident_no", "value": NO}, {"author": O1, "kind": "certificate_no", "value": EXTRACT}, {"author": O1, "kind": "certificate_no", "value": "HH-500002"}]
PAPERS = ("accident-part", "inquest", "household-extract", "attachment")
PARTIES = [party(1, None, "B03", name="張沙箱", vehicle={"plate": "AAA-5001", "insurer_ubn": P1}, injury_degree={"code": "3"}),
           party(2, None, "B03", name="林沙箱", vehicle={"plate": "BBB-5002"}, injury_degree={"code": "3"}), party(3, DEAD, "H01", injury_degree={"code": "1"}, main_injury={"code": "1"})]


def signed_by(g, body, *further):
    """The same list, signed by further people."""
    value = json.loads(body)
    payload = from_b64url(value["signature"].split(".")[1])
    for who in further:
        x5c = [base64.b64encode(certificate_der(g.pki / f"{who}.crt")).decode(), base64.b64encode(certificate_der(g.pki / "moica.crt")).decode()]
        value["co_signatures"].append(jws_es256(g.pki / f"{who}.key", {"typ": "claimgate-application+jwt", "x5c": x5c}, payload))
    return compact(value)


def file(g, body, first, *further):
    data = signed_by(g, g.application(body, first), *further)
    return g.call("POST", "/v1/applications", data, {"Content-Type": "application/json"}, g.token("app"))


def inquest(g, agency="j1", kind="prosecutor", **more):
    return record(g, NO, "other", [party(3, DEAD, "H01")], agency=agency, agency_more={"kind": kind}, item="inquest-1", class_="A1", casualties={"dead_24h": 1, "injured": 0},
                  **({"handled_by": K1} if agency != "k1" else {}),
                  inquest={"deceased": 3, "certificate_no": "J-500001", "issued": g.day(1), "died_at": f"{g.day(0)}T09:10:00+08:00", "manner": "accident", "causes": ["顱腦損傷"],
                           "text_zh": "因車禍顱腦損傷死亡。"}, **more)


def extract(g, no=EXTRACT, code=O1, further=()):
    """戶籍謄本: spouse and two children live, the parents are dead, and there is a sibling."""
    relatives = [*HEIRS, *further, {"relation": "parent", "name": "陳大箱", "died_on": "1999-05-01"}, {"relation": "parent", "name": "陳林大箱", "died_on": "2004-08-08"}, {**GRANDMA, "relation": "sibling"}]
    return {"format": "household-extract-1", "office": {"code": code, "name": "沙箱戶政事務所"}, "no": no, "issued": g.day(2), "person": {**DEAD, "died_on": g.day(0)}, "relatives": relatives}


def deposit(g, body, signer="o1", sender=None):
    data = compact(body)
    return g.call("POST", "/v1/household-extracts", data, g.signed(data, signer, "application/json"), g.token(sender or signer))


def refusals(g, wishes, heirs):
    body = application(DEAD, wishes, REFERENCES, event={"kind": "traffic"}, heirs=heirs)
    checks.equal(file(g, body, "person-grandma").code(), "heir-order", "a sibling does not claim where spouse and children are")
    checks.equal(file(g, body, "person-lee").code(), "permission-joint-needed", "one of three does not claim for all without them")
    plain = application(DEAD, [item(L3, "life", ["death"], ("certificate",))], REFERENCES, policyholder=GRANDMA)
    checks.equal(file(g, plain, "person-grandma").code(), "permission-evidence", "the policyholder gives nobody the file of the dead")


def authority(g):
    """A hospital signs no inquest and no extract; a household office signs extracts and nothing else."""
    by_hospital = g.call("POST", "/v1/accident-records", compact(inquest(g, revision=2)), g.signed(compact(inquest(g, revision=2)), "h1", "application/json"), g.token("j1"))
    checks.that(by_hospital.status == 422 and by_hospital.code().startswith("signer-wrong"), f"a hospital signs no inquest {by_hospital}")
    posing = g.push(inquest(g, "k2", "prosecutor"), "k2")
    checks.equal(posing.code(), "agency-jurisdiction", "nor does a police agency that calls itself a prosecutor")
    checks.that(deposit(g, extract(g), "h1", "o1").code().startswith("signer-wrong"), "nor does a hospital sign an extract")
    checks.equal(deposit(g, extract(g, code=K1), "k1", "o1").code(), "agency-jurisdiction", "nor a police agency, which holds a certificate of the same authority")
    for body in (record(g, NO, "slip", PARTIES, agency="o1", class_="A1"), inquest(g, "o1")):
        data = compact(body)
        answer = g.call("POST", "/v1/accident-records", data, g.signed(data, "o1", "application/json"), g.token("j1"))
        checks.equal(answer.code(), "agency-jurisdiction", f"a household office writes no record of an accident {answer}")
    document = next(d for d in g.samples("2") if not d.is_xml)
    foreign = g.call("POST", "/fhir/r4/Bundle", document.body, g.signed(document.body, "o1"), g.token("h1"))
    checks.that(foreign.status == 422 and foreign.code().startswith("signer-wrong"), f"and no hospital's paper {foreign}")


def heirs_proven(g, wishes):
    """Who applied against whom the household office names."""
    short = application(DEAD, wishes, REFERENCES, event={"kind": "traffic"}, heirs=HEIRS[:2])
    checks.equal(file(g, short, "person-lee", "person-wang").code(), "heirs-differ", "two of three apply as if they were all: the extract knows the third")


def funeral(g, case, p1, fund):
    """The undertaker's bill, photographed: nobody signed it; who pays the death benefit may see it, as a picture of what the heirs say."""
    bill = {"kind": "funeral", "no": "F-50", "issued": g.day(9), "lines": [{"text": "殯葬費", "amount": 280000}], "total": 280000}
    words = {"case": case, "person": DEAD, "kind": "receipt", "sha256": upload(g, "app", jpeg(30_000, 51))["sha256"], "receipt": bill}
    sent = g.post("app", "/v1/images", words)
    checks.equal((sent.status, sent.json().get("level"), sent.json().get("outcome")), (201, "unsigned", "accepted"), f"the funeral receipt comes in as a picture that nobody signed {sent}")
    for who, claim in (("p1", p1), ("fund", fund)):
        case = seen_by(g, checks, who, claim)[0]["case"]
        checks.equal([(e["kind"], e["evidence"], e["original"]["form"]) for e in case["expenses"]], [("funeral", "asserted", "image")], f"{who}: the funeral receipt, for what it is")
        checks.equal([d["unsigned"] for d in case["documents"] if d["kind"] == "attachment"], [True], f"{who}: and its picture")
    checks.that(not any(e.get("document") == sent.json()["document"] for e in g.events("l3")), "the life insurer has no permission for it")


def told_and_seen(g, p1, l3, fund):
    for name, who, claim in (("p1", "p1", p1), ("l3", "l3", l3), ("fund", "fund", fund)):
        _, seen = seen_by(g, checks, who, claim)
        expect_file(g, checks, f"5-{name}", seen)
        checks.that(b'"encounters"' not in seen and b'"diagnoses"' not in seen, f"{who}: no medical history")
    for who, claim in (("p1", p1), ("fund", fund)):
        answer, seen = seen_by(g, checks, who, claim)
        case = answer["case"]
        heirs = {(r["relation"], r["share"], r["order"]) for r in case["roles"] if r["role"] == "heir"}
        checks.equal((heirs, sum(r["role"] == "heir" for r in case["roles"])), ({("spouse", "1/3", 1), ("child", "1/3", 1)}, 3), f"{who}: the heirs by the household office, in three equal shares")
        checks.that("death" in case and case["accident"]["accident_no"] == NO, f"{who}: death and accident")
        checks.that("王陳沙箱".encode() not in seen and "陳大箱".encode() not in seen, f"{who}: neither the sibling nor the dead parents")
        checks.equal(case["claims"][0]["cali"]["rule"], "outsider", f"{who}: the pedestrian: all vehicles' insurers jointly")
        checks.equal(findings_of(answer).get("vehicle-uninsured"), "warn", f"{who}: the second car has no insurer")
    _, seen = seen_by(g, checks, "l3", l3)
    checks.that(b'"plate"' not in seen and b'"heir"' not in seen and b"uninsured" not in seen, "the life insurer sees the inquest, not the vehicles, not the family")


def main():
    with AccidentGateway() as g:
        g.findings = ("heirs-differ", "vehicle-uninsured")  # what this is about
        # papers of the agencies
        a1 = {"class_": "A1", "casualties": {"dead_24h": 1, "injured": 0}}
        checks.equal(g.push(record(g, NO, "slip", PARTIES, **a1)).status, 201, "the slip")
        stored = g.push(inquest(g), "j1")
        checks.equal(stored.status, 201, f"the prosecutor's inquest {stored}")
        authority(g)

        # the heirs apply
        wishes = [item(P1, "cali", ["cali_death"], PAPERS), item(L3, "life", ["death"], ("inquest",))]
        refusals(g, wishes, [*HEIRS, {**GRANDMA, "relation": "sibling"}])
        body = application(DEAD, wishes, REFERENCES, [mandate(K1, DEAD, ["accident-part"])], {"kind": "traffic"}, heirs=HEIRS)
        filed = file(g, body, "person-lee", "person-wang", "person-nguyen")
        checks.equal(filed.status, 201, f"the spouse applies, the children sign with her {filed}")
        claims = claims_of(filed)
        p1, l3 = claims[P1, "cali"], claims[L3, "life"]

        # heirs proven
        proof = deposit(g, extract(g))
        checks.equal((proof.status, proof.json()["case"], proof.json()["findings"]), (201, filed.json()["case"], []), f"the household extract: the same three {proof}")
        heirs_proven(g, wishes)

        # photos withheld
        asked = g.post("p1", "/v1/record-requests", {"claim": p1, "holder": K1, "subject": {"accident_no": NO, "occurred": g.day(0)}, "items": ["photos"]}).json()["data"][0]
        g.go_to_day(8)
        task = g.get("k1", "/v1/tasks").json()["data"][0]
        checks.equal(g.post("k1", f"/v1/tasks/{task['id']}/answer", {"state": "refused", "reason": "investigation"}, {"If-Match": f'"{task["version"]}"'}).status, 200, "the agency withholds the photos")
        row = g.get("p1", f"/v1/record-requests/{asked['id']}").json()
        checks.equal((row["state"], row["reason"]), ("refused", "investigation"), "with the reason")

        # the fund is told by statute, without anybody's consent
        told = g.post("p1", f"/v1/claims/{p1}/notices", {"to": FUND, "basis": "cali-14-3"})
        checks.equal(told.status, 201, f"P1 tells the fund {told}")
        fund = told.json()["claim"]
        _, seen = seen_by(g, checks, "fund", fund)
        expect_file(g, checks, "5-fund-told", seen)
        checks.that(b'"death"' not in seen and b'"heir"' not in seen, "by statute the accident alone")

        # who insures the second car: nobody
        register = CoverDesk(g, "cir", CIR, register=True)
        g.set_options("cir", lookup_url=register.url)
        looked_up = ended(g, ask(g, p1, "BBB-5002"))
        checks.equal((looked_up["result"], register.plates()), ("uninsured", ["BBB5002"]), f"the register knows of no policy {looked_up}")

        # so the heirs go to the fund too, through P1
        way = [item(FUND, "fund", ["cali_death"], PAPERS, through=P1, fund={"ground": "uninsured", "assignment": True})]
        to_fund = file(g, application(DEAD, way, REFERENCES, event={"kind": "traffic"}, heirs=HEIRS), "person-lee", "person-wang", "person-nguyen")
        checks.equal((to_fund.status, claims_of(to_fund)[FUND, "fund"]), (201, fund), f"the claim that the notice opened goes on {to_fund}")

        # the analysis
        g.go_to_day(30)
        analysis = g.push(record(g, NO, "analysis", PARTIES, **a1, opinions=[{"issued": g.day(30), "findings": [{"party": 1, "degree": "main"}, {"party": 2, "degree": "minor"}, {"party": 3, "degree": "none"}]}]))
        checks.equal(analysis.status, 201, f"the analysis on the thirtieth day {analysis}")
        funeral(g, filed.json()["case"], p1, fund)
        told_and_seen(g, p1, l3, fund)

        # shares, half in advance
        amounts = {"accident_on": g.day(0), "vehicles": ["insured", "uninsured"], "person": {"place": "outside"}, "died": True, "heirs": [h["relation"] for h in HEIRS]}
        said = g.post("p1", "/v1/motor-advice", amounts).json()
        checks.equal((said["heirs"]["shares"], said["answers"]["fund"], said["answers"]["joint"]), ([666667, 666667, 666666], True, True), "three equal shares, the fund in the other insurer's place, jointly")
        checks.equal(tell(g, "p1", p1, "in_review").status, 200, "in review")
        half = decide(g, "p1", p1, outcome="interim_approved", amount={"amount": "1000000", "currency": "TWD"})
        checks.equal((half.status, half.json()["claim"]["state"]), (200, "interim_approved"), f"half of the death benefit in advance {half}")

        # another extract names a fourth heir: accepted, and nobody can overlook it
        late = deposit(g, extract(g, "HH-500002", further=[{**GRANDMA, "relation": "parent"}]))
        checks.equal((late.status, [f["code"] for f in late.json()["findings"]]), (201, ["heirs-differ"]), f"a living parent, who has not applied {late}")
        checks.equal(findings_of(seen_by(g, checks, "p1", p1)[0]).get("heirs-differ"), "hold", "a person decides before money moves")
        register.close()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
