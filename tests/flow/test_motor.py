"""Motor filings over HTTP with real signatures: a repair from the filing to the recourse, versions that must follow on each other, and who gets nothing.  Every party's view of
three filings of one accident is scenario 7's (test_scenario_7.py).
"""
import base64
import sys
from xml.etree import ElementTree

from motor import CODES, PEOPLE, Filing, line
from support import Checks, Gateway, application_of, compact

checks = Checks()

ESTIMATE = [line("1", "後保險桿更換", 30000, qty="1", unit_price="30000", part_no="52159-A", part_type="oem"), line("2", "行李箱蓋鈑金", 24500, labour_h="12.5"),
            line("3", "烤漆", 30000, paint="30000")]
MORE = [line("S1", "後圍板校正", 12300, labour_h="6")]
FULL = [{"no": entry["no"], "amount": entry["amount"]} for entry in ESTIMATE]


def accepted(answer, text):
    checks.equal(answer.status, 201, f"{text} is accepted: {answer}")
    return answer.json() if answer.status == 201 else {}


def refused(answer, code, text, status=None):
    checks.equal(answer.code(), code, text)
    if status:
        checks.equal(answer.status, status, text)


def findings(answer):
    return [f["code"] for f in answer.json()["findings"]]


def estimate(f, version=1, lines=None, total="84500", **more):
    return f.shop("estimate", version=version, lines=lines or ESTIMATE, total=total, **more)


def approve(f, code="p1", line_="own_damage", version=1, lines=None, total="84500", payable="81500", **more):
    return f.insurer(code, "approval", line=line_, version=version, lines=lines or FULL, total=total, payable=payable, **more)


# -- one repair --

def repair(g):
    f = Filing(g)
    said = accepted(f.begin(claims=(("p1", "own_damage"),),
                            others=[{"plate": "BBB-2002", "kind": "自用小客車", "driver": "李沙箱", "phone": "0900-000-002", "cali_insurer": CODES["p2"]},
                                    {"plate": "CCC-3003", "kind": "自用小貨車", "damage": "前保險桿"}]), "the owner's filing")
    checks.equal(said["outcome"], "accepted", "it goes to its insurer")
    checks.equal([c["recipient"] for c in said["claims"]], [CODES["p1"]], "and to no other")
    events = g.call("GET", "/v1/events", token=g.token("r1")).json()["data"]
    checks.equal([e["type"] for e in events], ["filing.opened"], "the shop is told")
    accepted(estimate(f), "estimate 1")
    accepted(approve(f, deductible="3000", direct_pay=True), "P1 takes it over")
    accepted(f.shop("supplement", version=1, supplement=1, reason="拆解後發現後圍板變形", lines=MORE, total="12300"), "a supplement")
    accepted(approve(f, lines=[{"no": "S1", "amount": "12300"}], total="12300", payable="12300", supplement=1, direct_pay=True), "P1 takes that over too")
    checks.equal(f.seen_by("r1").json()["repairs"][0]["state"], "approved", "the order is approved")
    bill = accepted(f.shop("invoice", no="INV-7", lines=ESTIMATE + MORE, total="96800"), "the invoice")
    checks.equal(bill["findings"], [], "96,800 is what was approved")
    paid = accepted(f.insurer("p1", "payment", no="PAY-1", line="own_damage", payee="shop", shop=CODES["r1"], amount="93800", method="transfer",
                              paid_at="2026-03-20T12:00:00+08:00"), "P1 pays the shop")
    checks.equal(paid["findings"], [], "93,800 is what is payable after the deductible")
    accepted(f.shop("delivery", delivered_at="2026-03-21T17:00:00+08:00"), "the car is handed over")
    order = f.seen_by("r1").json()["repairs"][0]
    checks.equal((order["state"], order["estimated"], order["invoice"], order["open"]),
                 ("delivered", "96800", {"no": "INV-7", "total": "96800", "approved": "96800", "agrees": True}, "3000"), "the owner owes the deductible")
    recourse(g, f)
    files(g, f)


def recourse(g, f):
    asked = dict(kind="own_damage_53", line="own_damage", against=CODES["p2"], paid="93800", percent="70", paid_on="2026-03-20")
    path = f"/v1/claims/{f.claim('p1')}/recourse"
    said = accepted(f.insurer("p1", "recourse", path=path, amount="65660", **asked), "P1 asks P2 for 70 % (Insurance Act 53)")
    checks.equal(said["findings"], [], "93,800 × 70 % = 65,660")
    f.claims[CODES["p2"], "liability_property"] = said["claims"][0]["claim"]
    checks.equal([e["type"] for e in g.call("GET", "/v1/events", token=g.token("p2")).json()["data"]],
                 ["recourse.asked"] + ["document.available"] * 5, "P2 is told, with the papers of the damage")
    refused(f.insurer("p2", "recourse", path=path, amount="1", **asked), "not-found", "another insurer's claim", 404)
    refused(f.insurer("p1", "recourse", amount="1", **{**asked, "line": "liability_property"}), "recourse-barred", "a line without this recourse", 422)
    settled = f.insurer("p2", "settlement", no="S-1", kind="和解", date="2026-05-01", between=[PEOPLE["person-wang"], PEOPLE["person-lee"]], total="65660",
                        heads=[{"kind": "property", "amount": "65660"}], includes_cali="no", insurer_took_part=False)
    checks.equal(findings(settled), ["settlement-without-insurer"], "a settlement without the insurer is noted (Insurance Act 93)")
    more = f.insurer("p1", "recourse", path=path, revision=2, amount="99999", **asked)
    checks.equal(findings(more), ["sum-differs", "recourse-above-paid"], "more than was paid is noted, not refused")


def files(g, f):
    """P1's system takes fixed columns in code page 950, or XML; P2's claim shows what its own view shows, no more."""
    flat = g.call("GET", f"/v1/claims/{f.claim('p1')}/formats/repair-flat-1", token=g.token("p1")).json()
    lines = base64.b64decode(flat["content"]).decode("cp950").split("\r\n")
    checks.equal([entry[:1] for entry in lines], ["H", "E", "E", "E", "A", "A", ""], "head, three papers, two approvals")
    checks.that("000000096800" in lines[3] and "後保險桿更換" in lines[1], "the invoice's total, the first line in Chinese")
    checks.equal([finding["column"] for finding in flat["findings"]], [], "everything fits")
    checks.equal([lines[4][3:15], lines[4][15:27], lines[4][27:39]], ["000000084500", "000000003000", "000000081500"], "approved, deductible, payable")
    xml = g.call("GET", f"/v1/claims/{f.claim('p1')}/formats/repair-xml-1", token=g.token("p1")).json()
    root = ElementTree.fromstring(base64.b64decode(xml["content"]))
    checks.equal([e.text for e in root.iter("area")], ["後保險桿", "行李箱蓋", "前保險桿"][:2], "the damage in XML")
    other = base64.b64decode(g.call("GET", f"/v1/claims/{f.claim('p2', 'liability_property')}/formats/repair-flat-1", token=g.token("p2")).json()["content"]).decode("cp950")
    checks.that("\r\nA" not in other and "POL-p1" not in other, "no approval and no policy of another in P2's file")
    checks.equal(g.call("GET", f"/v1/claims/{f.claim('p1')}/formats/repair-flat-1", token=g.token("p2")).status, 404, "nor another's file")


# -- versions --

def versions(g):
    f = Filing(g)
    refused(estimate(f), "not-found", "an estimate before the filing", 404)
    accepted(f.begin(), "the filing")
    checks.equal(f.begin().status, 200, "the same bytes again")
    refused(f.begin(loss={"kind": "total"}), "filing-number-used", "the number a second time", 409)
    refused(approve(f), "repair-not-estimated", "an approval before the estimate", 409)
    refused(f.shop("invoice", no="X", lines=ESTIMATE, total="84500"), "repair-not-estimated", "an invoice before the estimate", 409)
    refused(estimate(f, 2), "estimate-version", "version 2 before version 1", 409)
    first = accepted(estimate(f), "version 1")
    again = estimate(f)
    checks.equal((again.status, again.json()["receipt"]), (200, first["receipt"]), "the same bytes again: the original receipt")
    refused(estimate(f, lines=MORE, total="12300"), "estimate-version", "another version 1", 409)
    refused(f.shop("supplement", version=2, supplement=1, reason="x", lines=MORE, total="12300"), "estimate-version", "a supplement to a version to come", 409)
    refused(f.shop("supplement", version=1, supplement=2, reason="x", lines=MORE, total="12300"), "estimate-version", "supplement 2 before 1", 409)
    refused(f.shop("estimate", order_no="R1-0002", version=2, lines=ESTIMATE, total="84500"), "repair-order-differs", "another order for the car", 409)
    accepted(approve(f), "an approval of version 1")
    refused(approve(f, lines=[{"no": "9", "amount": "1"}], total="1", payable="1", revision=2), "repair-line-unknown", "a line that is not there", 422)
    refused(approve(f, total="80000", payable="80000"), "duplicate-document", "a second approval of the same version", 409)
    corrected = approve(f, revision=2, lines=FULL[:2], total="54500", payable="54500")
    accepted(corrected, "its correction")
    checks.equal(f.seen_by("r1").json()["repairs"][0]["approvals"][0]["approved"], "54500", "which counts instead")
    accepted(estimate(f, 2, total="84000"), "version 2 with a wrong total")
    order = f.seen_by("r1").json()
    checks.equal(order["repairs"][0].get("approvals"), None, "the approval was of version 1")
    payable = [e["totals"]["payable"] for e in order["content"]["expenses"] if e.get("version") == 2][0]
    checks.equal((payable["stated"]["amount"], payable["recomputed"]["amount"], payable["agrees"]), ("84000", "84500", False), "stated and recomputed side by side")
    refused(approve(f, version=1, revision=3), "estimate-version", "an approval that comes late", 409)
    accepted(approve(f, version=2, deductible="5000", payable="79500"), "an approval of version 2")
    high = f.shop("invoice", no="INV", lines=ESTIMATE + MORE, total="96800")
    checks.equal(findings(high), ["invoice-above-approved"], "an invoice above what was approved is noted")
    refused(estimate(f, 3), "repair-invoiced", "an estimate after the invoice", 409)
    refused(f.shop("supplement", version=2, supplement=1, reason="x", lines=MORE, total="12300"), "repair-invoiced", "a supplement after the invoice", 409)
    refused(approve(f, version=2, revision=2), "repair-invoiced", "an approval after the invoice", 409)
    low = f.insurer("p1", "payment", no="1", line="own_damage", payee="shop", shop=CODES["r1"], amount="70000", method="transfer", paid_at="2026-03-20T12:00:00+08:00")
    checks.equal(findings(low), ["paid-differs"], "a payment that is not what was payable is noted")


# -- who may not --

def authority(g):
    f = Filing(g)
    paper = f.begin_paper()
    refused(f.send(paper, "person-lee", "app"), "permission-evidence", "signed by another person")
    refused(f.send(paper, "app", "app"), "signer-wrong-kind", "signed by the app")
    refused(f.send(paper, "person-wang", "p1"), "permission-self-granted", "sent by its recipient")
    refused(f.send({**paper, "author": {"kind": "shop", "code": CODES["r1"]}}, "r1", "r1"), "signer-wrong-kind", "a shop files nothing for an owner")
    young = f.begin_paper()
    young["owner"] = {**PEOPLE["person-wang"], "birth_date": "2012-01-01"}
    refused(f.send(young, "person-wang", "app"), "permission-joint-needed", "an owner who is not of age")
    unsigned = g.call("POST", "/v1/motor-filings", compact(paper), {"Content-Type": "application/json"}, g.token("app"))
    refused(unsigned, "signature-missing", "without a signature")
    name, value = g.sign(compact(paper), "person-wang")
    changed = g.call("POST", "/v1/motor-filings", compact({**paper, "written": "2026-03-03T10:00:00+08:00"}), {"Content-Type": "application/json", name: value}, g.token("app"))
    refused(changed, "signature-mismatch", "changed after signing")
    checks.equal(g.counts()["cases"], 0, "nothing of it is stored")
    accepted(f.begin(), "the filing")
    refused(f.shop("estimate", signer="v1", version=1, lines=ESTIMATE, total="84500"), "signer-wrong-organisation", "another company signs for the shop")
    refused(f.shop("estimate", plate="ZZZ-0000", version=1, lines=ESTIMATE, total="84500"), "not-found", "a car that the filing does not give the shop", 404)
    refused(approve(f, "p2"), "not-found", "an insurer that the owner did not name", 404)
    refused(approve(f, "p1", "liability_property"), "not-found", "a line that it does not have here", 404)
    other = Filing(g, "person-lee", "BBB-2002", number=f.number)
    refused(other.send(other.paper("damage", {"kind": "owner"}, {"no": "1", "plate": "BAA-1001", "damage": [{"area": "車頂"}]}), "person-lee", "app"), "not-found",
            "another person in this filing", 404)
    accepted(f.of_owner("damage", no="1", plate="BAA-1001", damage=[{"area": "車頂", "pre_existing": True}]), "the owner himself")
    alone = Filing(g, "person-lee", "BBB-2002")
    accepted(alone.begin(claims=(("p2", "own_damage"),), shop=None), "a filing without a shop")
    answer = g.call("GET", f"/v1/motor-filings/{alone.case}", token=g.token("r1"))
    checks.equal(answer.status, 404, "which the shop does not find")
    answer = g.call("GET", f"/v1/motor-filings/{alone.case}", headers={"X-Track-Token": f.code}, token=g.token("app"))
    checks.equal(answer.status, 404, "nor does another owner's code open it")


def forms(g):
    f = Filing(g)
    for change, code, text in (({"part": "letter"}, "document-kind", "an unknown part"), ({"written": "2026-03-02"}, "value-invalid", "half a time"),
                               ({"claims": []}, "element-missing", "nobody gets it"), ({"vehicle": {"plate": "BAA-1001"}}, "element-missing", "no kind of vehicle"),
                               ({"loss": {"kind": "small"}}, "code-invalid", "an unknown word"), ({"damage": "後"}, "element-type", "text for a list"),
                               ({"damage": [{"area": "後", "photos": [1]}]}, "reference-unresolved", "a photo that is not there")):
        answer = f.send({**f.begin_paper(), **change}, "person-wang", "app")
        refused(answer, code, text, 422)
    extra = f.send({**f.begin_paper(), "colour": "白"}, "person-wang", "app")
    checks.equal(findings(extra), ["unmapped"], "what the form does not know is kept and noted")
    wrong = Filing(g)
    answer = wrong.begin(claims=(("p1", "own_damage"),), owner={**PEOPLE["person-wang"], "identifiers": PEOPLE["person-wang"]["identifiers"]})
    accepted(answer, "the plain form")
    unknown = Filing(g)
    paper = unknown.begin_paper()
    paper["claims"].append({"insurer": "12345675", "line": "own_damage"})
    checks.equal(findings(unknown.send(paper, "person-wang", "app")), ["insurer-unknown"], "an unknown insurer is noted")


def barred(g):
    """A life insurer asks for recourse on its own claim."""
    person = {k: PEOPLE["person-wang"][k] for k in ("identifiers", "name", "birth_date")}
    filed = g.call("POST", "/v1/applications", g.application(application_of(person, [(CODES["l1"], "life", ["death"], ["certificate"])])),
                   {"Content-Type": "application/json"}, g.token("app"))
    claim = filed.json()["claims"][0]["claim"]
    f = Filing(g)
    accepted(f.begin(), "a filing of the same person")
    before = g.call("GET", "/v1/events", token=g.token("p2")).json()["data"]
    for kind in ("own_damage_53", "cali_33"):
        answer = f.insurer("l1", "recourse", path=f"/v1/claims/{claim}/recourse", kind=kind, line="own_damage", against=CODES["p2"], paid="1000", amount="1000",
                           paid_on="2026-03-20")
        refused(answer, "recourse-barred", f"L1 has no recourse {kind}", 422)
        checks.that("INS-103" in answer.body.decode(), "with the rule that bars it")
    checks.equal(g.call("GET", "/v1/events", token=g.token("p2")).json()["data"], before, "P2 hears nothing")


def main():
    for plays in ((repair,), (authority, versions, forms, barred)):
        with Gateway() as g:
            for play in plays:
                print(play.__name__, flush=True)
                play(g)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
