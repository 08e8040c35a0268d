"""Scenario 3: application first, cancer.  The person files; the papers are asked for at the second hospital; its institution signs the certificate, the doctor the next day; certificate and
pathology contradict each other, which those see who see both.

Not played here: that forwarded insurers wait for the original and the 300,000 of the alliance (no adapter to that platform)."""
import sys

from accidents import H2, L1, L2, P2, WANG, AccidentGateway, application, claims_of, expect_file, findings_of, item, mandate, seen_by
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


def main():
    with AccidentGateway() as g:
        certificate, receipt, report = papers(g)
        visit = visit_of(certificate)
        everything = ("certificate", "receipt", "report")
        filed = g.apply(application(WANG, [item(L1, "health", ["cancer_first", "reimbursement_inpatient"], everything), item(L2, "health", ["cancer_first", "reimbursement_inpatient"], everything),
                                           item(P2, "health", ["daily_hospital"], ("certificate",))],
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

        english = certificate.replace("乳房惡性腫瘤".encode(), b"malignant neoplasm").replace(b"certificate-1", b"certificate-9")
        checks.that(english != certificate, "a certificate in English only")
        answer = send(g, english, "h2-dr-wu")
        checks.that("language-not-chinese" in answer.body.decode() or answer.status == 409, f"is found out {answer}")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
