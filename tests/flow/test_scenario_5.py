"""Scenario 5: death of a pedestrian, two cars, one of them not insured (A1).  The prosecutor's inquest, the slip and the analysis; the heirs apply, one for all; the insurer and the fund answer jointly;
half of the death benefit in advance; the photos are withheld while the investigation is secret.

Not played here: the household extract (papers of other agencies than police, prosecutor and boards have no intake) and the funeral receipt; who is an heir stands in what the heirs signed. That a car is
not insured is known by a lookup, which there is not yet: the motor rules are asked with it."""
import base64
import sys

from accidents import FUND, K1, L3, LEE, P1, WANG, AccidentGateway, application, claims_of, decide, expect_file, item, mandate, party, record, seen_by, tell
from support import Checks, certificate_der, compact, from_b64url, jws_es256

checks = Checks()
NO = "11511AC50001"
DEAD = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "E190150007"}], "name": "陳沙箱", "birth_date": "1950-02-01"}
NGUYEN = {"identifiers": [{"system": "http://www.immigration.gov.tw", "value": "A890110003"}], "name": "NGUYEN THI SANDBOX", "birth_date": "1986-02-20"}
GRANDMA = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B280120005"}], "name": "王陳沙箱", "birth_date": "1952-09-30"}
HEIRS = [{**LEE, "relation": "spouse"}, {**WANG, "relation": "child"}, {**NGUYEN, "relation": "child"}]
REFERENCE = {"author": K1, "kind": "accident_no", "value": NO}
PAPERS = ("accident-part", "inquest")
PARTIES = [party(1, None, "B03", name="張沙箱", vehicle={"plate": "AAA-5001", "insurer_ubn": P1}, injury_degree={"code": "3"}),
           party(2, None, "B03", name="林沙箱", vehicle={"plate": "BBB-5002"}, injury_degree={"code": "3"}), party(3, DEAD, "H01", injury_degree={"code": "1"}, main_injury={"code": "1"})]


def signed_by(g, body, *further):
    """The same list, signed by further people."""
    import json
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


def refusals(g, wishes, heirs):
    body = application(DEAD, wishes, [REFERENCE], event={"kind": "traffic"}, heirs=heirs)
    checks.equal(file(g, body, "person-grandma").code(), "heir-order", "a sibling does not claim where spouse and children are")
    checks.equal(file(g, body, "person-lee").code(), "permission-joint-needed", "one of three does not claim for all without them")
    plain = application(DEAD, [item(L3, "life", ["death"], ("certificate",))], [REFERENCE], policyholder=GRANDMA)
    checks.equal(file(g, plain, "person-grandma").code(), "permission-evidence", "the policyholder gives nobody the file of the dead")


def main():
    with AccidentGateway() as g:
        a1 = {"class_": "A1", "casualties": {"dead_24h": 1, "injured": 0}}
        checks.equal(g.push(record(g, NO, "slip", PARTIES, **a1)).status, 201, "the slip")
        stored = g.push(inquest(g), "j1")
        checks.equal(stored.status, 201, f"the prosecutor's inquest {stored}")
        by_hospital = g.call("POST", "/v1/accident-records", compact(inquest(g, revision=2)), g.signed(compact(inquest(g, revision=2)), "h1", "application/json"), g.token("j1"))
        checks.that(by_hospital.status == 422 and by_hospital.code().startswith("signer-wrong"), f"a hospital signs no inquest {by_hospital}")
        posing = g.push(inquest(g, "k2", "prosecutor"), "k2")
        checks.equal(posing.code(), "agency-jurisdiction", "nor does a police agency that calls itself a prosecutor")

        wishes = [item(P1, "cali", ["cali_death"], PAPERS), item(L3, "life", ["death"], ("inquest",))]
        refusals(g, wishes, [*HEIRS, {**GRANDMA, "relation": "sibling"}])
        body = application(DEAD, wishes, [REFERENCE], [mandate(K1, DEAD, ["accident-part"])], {"kind": "traffic"}, heirs=HEIRS)
        filed = file(g, body, "person-lee", "person-wang", "person-nguyen")
        checks.equal(filed.status, 201, f"the spouse applies, the children sign with her {filed}")
        claims = claims_of(filed)
        p1, l3 = claims[P1, "cali"], claims[L3, "life"]

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
        for name, who, claim in (("p1", "p1", p1), ("l3", "l3", l3), ("fund", "fund", fund)):
            answer, seen = seen_by(g, checks, who, claim)
            expect_file(g, checks, f"5-{name}", seen)
            checks.that(b'"encounters"' not in seen and b'"diagnoses"' not in seen, f"{who}: no medical history")
        answer, seen = seen_by(g, checks, "p1", p1)
        checks.equal(answer["case"]["claims"][0]["cali"]["rule"], "outsider", "the pedestrian: all vehicles' insurers jointly")
        checks.that(b'"plate"' not in seen_by(g, checks, "l3", l3)[1], "the life insurer sees the inquest, not the vehicles")

        amounts = {"accident_on": g.day(0), "vehicles": ["insured", "uninsured"], "person": {"place": "outside"}, "died": True, "heirs": [h["relation"] for h in HEIRS]}
        said = g.post("p1", "/v1/motor-advice", amounts).json()
        checks.equal((said["heirs"]["shares"], said["answers"]["fund"], said["answers"]["joint"]), ([666667, 666667, 666666], True, True), "three equal shares, the fund in the other insurer's place, jointly")
        checks.equal(tell(g, "p1", p1, "in_review").status, 200, "in review")
        half = decide(g, "p1", p1, outcome="interim_approved", amount={"amount": "1000000", "currency": "TWD"})
        checks.equal((half.status, half.json()["claim"]["state"]), (200, "interim_approved"), f"half of the death benefit in advance {half}")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
