"""Scenario 3: application first, cancer.  The person files; the papers are asked for at the second hospital; its institution signs the certificate, the doctor the next day; certificate and
pathology contradict each other, which those see who see both.  L1 is the first insurer, L2 and P2 get the claim forwarded: above 300,000 they pay when the original papers have reached L1."""
import datetime
import sys

from accidents import DAY, H2, L1, L2, P2, WANG, AccidentGateway, application, claims_of, decide, expect_file, findings_of, item, mandate, seen_by, tell
from support import Checks, compact

checks = Checks()


def papers(g):
    """Certificate C50.9 and pathology D05.1 of one stay in the second hospital."""
    certificate, receipt, report = g.samples("27")

    def altered(document, change):
        value = document.json()
        for entry in value["entry"]:
            change(entry["resource"])
        return compact(value)

    def cancer(resource):
        if resource["resourceType"] == "Condition":
            resource["code"]["coding"][0]["code"] = "C50.9"
            resource["code"]["text"] = "乳房惡性腫瘤"

    def in_situ(resource):
        if resource["resourceType"] == "DiagnosticReport":
            resource["conclusion"] = "乳管原位癌。"
            resource["conclusionCode"] = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D05.1"}]}]
    return altered(certificate, cancer), receipt.body, altered(report, in_situ)


def visit_of(body):
    import json
    return next(e["resource"]["identifier"][0]["value"] for e in json.loads(body)["entry"] if e["resource"]["resourceType"] == "Encounter")


def send(g, body, signer, sender="h2"):
    return g.call("POST", "/fhir/r4/Bundle", body, g.signed(body, signer), g.token(sender))


def request(g, who, claim, visit, *items):
    return g.post(who, "/v1/record-requests", {"claim": claim, "holder": H2, "subject": {"visit_no": visit}, "items": list(items)})


def no_first(g):
    """What is forwarded has one first insurer."""
    for roles in (("forwarded", "forwarded"), ("first", "first"), ("first", "second")):
        wrong = application(WANG, [item(L1, "health", ["cancer_first"], ("certificate",), relay_role=roles[0]), item(L2, "health", ["cancer_first"], ("certificate",), relay_role=roles[1])])
        checks.equal(g.apply(wrong, "person-wang").code(), "schema-invalid", f"roles {roles}")
    motor = application(WANG, [item(P2, "cali", ["cali_medical"], ("certificate",), relay_role="first")])
    checks.equal(g.apply(motor, "person-wang").code(), "schema-invalid", "compulsory cover is not forwarded")


def waiting(g, who, claim):
    return g.get(who, f"/v1/claims/{claim}").json()["claim"].get("waiting_for")


def original(g, claims):
    """320,000: the first insurer has the task, the others wait; a smaller sum waits for nothing; the papers arrive and all are free."""
    due = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=10)).isoformat()[:10]
    tasks = g.get("l1", "/v1/tasks").json()["data"]
    checks.equal([(t["item"], t["state"], t["subject"]["claim"], t["subject"]["rule"]) for t in tasks], [("original_papers", "open", claims[L1], "RELAY-ORIGINAL")], "the first insurer awaits the papers")
    checks.that(g.get("l2", "/v1/tasks").json()["data"] == [] and g.get("p2", "/v1/tasks").json()["data"] == [], "nobody else does")
    for who, code in (("l1", L1), ("l2", L2), ("p2", P2)):
        checks.equal(tell(g, who, claims[code], "in_review").status, 200, f"{who} reviews")
        checks.equal(waiting(g, who, claims[code]), None, f"{who}: nothing is decided, nothing waits")
    for who, code, amount in (("l1", L1, "320000"), ("l2", L2, "320000"), ("p2", P2, "12000")):
        decided = decide(g, who, claims[code], outcome="approved", amount={"amount": amount, "currency": "TWD"})
        checks.equal(decided.status, 200, f"{who} approves {amount} {decided}")
    seen = waiting(g, "l2", claims[L2])
    checks.equal({**seen, "due": seen["due"][:10]}, {"party": "first_insurer", "reason": "original_papers", "rule": "RELAY-ORIGINAL", "due": due, "overdue": False}, "L2 waits for the first insurer")
    checks.equal(waiting(g, "l1", claims[L1])["party"], "person", "L1 for the person")
    checks.equal(waiting(g, "p2", claims[P2]), None, "P2's 12,000 waits for nothing")
    checks.that(L1 not in str(g.get("l2", f"/v1/claims/{claims[L2]}").json()["claim"]["waiting_for"]), "and nobody learns who the first is")
    for who, code in (("l1", L1), ("l2", L2)):
        refused = tell(g, who, claims[code], "paying")
        checks.equal((refused.status, refused.code()), (409, "original-awaited"), f"{who} may not pay yet {refused}")
        refused = decide(g, who, claims[code], outcome="paid", amount={"amount": "320000", "currency": "TWD"})
        checks.equal(refused.code(), "original-awaited", f"{who}: nor by a decision")
    checks.equal(tell(g, "p2", claims[P2], "paying").status, 200, "P2 pays")
    g.pass_time(11 * DAY)
    checks.equal(waiting(g, "l2", claims[L2])["overdue"], True, "after the tenth day they are overdue")

    path = f"/v1/tasks/{tasks[0]['id']}/answer"
    checks.equal(g.post("l2", path, {"state": "done"}, {"If-Match": '"1"'}).code(), "not-found", "L2 cannot say that they are there")
    arrived = g.post("l1", path, {"state": "done"}, {"If-Match": '"1"'})
    checks.equal((arrived.status, arrived.json()["state"]), (200, "answered"), f"they have reached L1 {arrived}")
    for who, code in (("l2", L2), ("p2", P2)):
        checks.equal([e["claim"] for e in g.events(who) if e["type"] == "original.arrived"], [claims[code]], f"{who} is told")
    checks.equal([e for e in g.events("l1") if e["type"] == "original.arrived"], [], "L1 knows")
    for who, code in (("l1", L1), ("l2", L2)):
        checks.equal(waiting(g, who, claims[code]), None, f"{who} waits no more")
        checks.equal(tell(g, who, claims[code], "paying").status, 200, f"{who} pays")


def main():
    with AccidentGateway() as g:
        g.findings = ("malignancy-differs",)
        certificate, receipt, report = papers(g)
        visit = visit_of(certificate)
        everything = ("certificate", "receipt", "report")
        no_first(g)
        filed = g.apply(application(WANG, [item(L1, "health", ["cancer_first", "reimbursement_inpatient"], everything, relay_role="first"),
                                           item(L2, "health", ["cancer_first", "reimbursement_inpatient"], everything, relay_role="forwarded"),
                                           item(P2, "health", ["daily_hospital"], ("certificate",), relay_role="forwarded")],
                                    [{"author": H2, "kind": "visit_no", "value": visit}], [mandate(H2, WANG, everything)], {"kind": "illness"}), "person-wang")
        checks.equal(filed.status, 201, f"the application, with the mandate to the second hospital {filed}")
        claims = {code: claim for (code, _), claim in claims_of(filed).items()}

        for who, code in (("l1", L1), ("l2", L2)):
            asked = request(g, who, claims[code], visit, *everything)
            checks.equal([a["state"] for a in asked.json()["data"]], ["requested"] * 3, f"{who} asks for certificate, receipt and pathology")
        refused = request(g, "p2", claims[P2], visit, "report")
        checks.equal((refused.status, refused.code()), (403, "permission-needed"), "P2 pays by the day: the person lets it have no pathology")
        tasks = g.get("h2", "/v1/tasks").json()["data"]
        checks.equal(sorted(t["item"] for t in tasks), ["certificate", "receipt", "report"], "the second hospital has three tasks")
        checks.that(not any(code in str(tasks) for code in (L1, L2, P2)), "and no list of insurers")
        checks.equal(g.get("h1", "/v1/tasks").json()["data"], [], "the first hospital has nothing")
        checks.equal(g.post("h1", f"/v1/tasks/{tasks[0]['id']}/answer", {"state": "promised"}, {"If-Match": '"1"'}).code(), "not-found", "and answers nothing")

        # the doctor missed the day: the institution signs, the doctor signs later
        stored = send(g, certificate, "h2")
        checks.equal(stored.status, 201, f"signed by the institution {stored}")
        later = send(g, certificate, "h2-dr-wu")
        checks.equal((later.status, later.parameter("outcome")), (200, "signature-added"), "the doctor's signature is added to the same paper")
        checks.that(later.parameter("receipt") != stored.parameter("receipt"), "with a receipt of its own")
        checks.equal(send(g, receipt, "h2").status, 201, "the receipt")
        checks.equal(send(g, report, "h2-dr-wu").status, 201, "the pathology")
        checks.equal(g.get("h2", "/v1/tasks").json()["data"], [], "nothing is left to do")

        for who, code in (("l1", L1), ("l2", L2), ("p2", P2)):
            answer, body = seen_by(g, checks, who, claims[code])
            expect_file(g, checks, f"3-{who}", body)
            conflict = {"malignancy-differs": "hold"} if who != "p2" else {}
            checks.equal(findings_of(answer), conflict, f"{who}: the contradiction, for who sees both")
        answer, _ = seen_by(g, checks, "l1", claims[L1])
        evidence = answer["case"]["findings"][0]["evidence"]
        originals = {"certificate": certificate, "report": report}
        shown = {d["id"]: d["kind"] for d in answer["case"]["documents"]}
        said = {shown[e["document"][1:]]: originals[shown[e["document"][1:]]][e["offset"]:e["offset"] + e["length"]] for e in evidence}
        checks.equal(said, {"certificate": b'"C50.9"', "report": b'"D05.1"'}, "with the bytes of both papers")

        original(g, claims)
        english = certificate.replace("乳房惡性腫瘤".encode(), b"malignant neoplasm").replace(b"certificate-1", b"certificate-9")
        checks.that(english != certificate, "a certificate in English only")
        answer = send(g, english, "h2-dr-wu")
        checks.equal((answer.status, answer.code()), (422, "language-not-chinese"), f"is refused {answer}")
        checks.that("code.text" in answer.body.decode(), f"with its place {answer.body.decode()[:600]}")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
