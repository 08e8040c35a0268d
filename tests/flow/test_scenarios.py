"""Scenarios end to end, with every party's expected projection as a file, byte for byte (tests/flow/scenarios/<scenario>-<party>.json).

CLAIMGATE_WRITE=1 writes the files anew: look at the difference before committing it.
"""
import base64
import json
import os
import pathlib
import sys

import represent
from support import Checks, Gateway, application_of, certificate_der, compact, consent_text, jws_es256

HERE = pathlib.Path(__file__).parent / "scenarios"
PEOPLE = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen", "A180140004": "person-boy", "B280120005": "person-grandma"}
L1, L2, L3, P1 = "99000116", "99000220", "99000333", "99000447"
checks = Checks()


def resource(document, kind):
    return next(e["resource"] for e in document.json()["entry"] if e["resource"]["resourceType"] == kind)


def person_of(document):
    patient = resource(document, "Patient")
    identifier = patient["identifier"][0]
    return {"identifiers": [{"system": identifier["system"], "value": identifier["value"]}], "name": patient["name"][0]["text"], "birth_date": patient["birthDate"]}


def references_of(document):
    encounter, organisation = resource(document, "Encounter"), resource(document, "Organization")
    return [{"author": organisation["identifier"][0]["value"], "kind": "visit_no", "value": encounter["identifier"][0]["value"]}]


def key_of(person):
    return PEOPLE[person["identifiers"][0]["value"]]


def apply(g, application, signer, co_signer=None, headers=None):
    return g.call("POST", "/v1/applications", g.application(application, signer, co_signer), {"Content-Type": "application/json", **(headers or {})}, g.token("app"))


def projection(g, party, claim):
    answer = g.call("GET", f"/v1/claims/{claim}", token=g.token(party))
    checks.equal(answer.status, 200, f"{party} reads its claim")
    text = answer.body.decode()
    start = text.index('"case":') + len('"case":')
    end = json.JSONDecoder().raw_decode(text, start)[1]
    return answer.json(), text[start:end].encode()


def leaves(body):
    """What is said, whatever its place: documents stand in the order of their arrival, and local ids follow it."""
    found = []

    def walk(value, name):
        if isinstance(value, dict):
            for key, child in value.items():
                walk(child, key)
        elif isinstance(value, list):
            for child in value:
                walk(child, name)
        elif name not in ("id", "source", "pointer") and not str(value).startswith("#"):
            found.append((name, str(value)))

    walk(json.loads(body), "")
    return sorted(found)


def expect_file(name, body):
    path = HERE / f"{name}.json"
    if os.environ.get("CLAIMGATE_WRITE"):
        path.write_bytes(body + b"\n")
        return
    checks.that(path.exists() and path.read_bytes() == body + b"\n", f"{name}: the projection differs from {path.name}")


def claim_of(answer, code):
    return next(c["claim"] for c in answer.json()["claims"] if c["recipient"] == code)


FOUR = [(L1, "health", ["daily_hospital", "surgery_fixed"], ["certificate"]),
        (L2, "health", ["reimbursement_inpatient"], ["certificate", "receipt"]),
        (L3, "health", ["reimbursement_inpatient"], ["certificate", "receipt"]),
        (P1, "health", ["reimbursement_inpatient"], ["certificate", "receipt"])]
PARTIES = [("l1", L1), ("l2", L2), ("l3", L3), ("p1", P1)]


def play_one(g, order, alter=None):
    """Scenario 1: appendix, four policies.  Returns what each party sees."""
    documents = g.samples("1")
    if alter:
        for d in documents:
            body = alter(d.name, d.body)
            if body != d.body:
                d.body, d.headers = body, g.signed(body, "h1" if "receipt" in d.name else "h1-dr-lin", cms=False)
    person = person_of(documents[0])
    application = application_of(person, FOUR, references_of(documents[0]), event={"kind": "illness", "occurred": "2026-01-10"})
    filed = None
    for step in order:
        if step == "application":
            filed = apply(g, application, key_of(person))
            checks.equal(filed.status, 201, "the application is accepted")
        else:
            answer = g.submit(documents[step])
            checks.equal(answer.status, 201, f"{documents[step].name} is accepted")
    return filed, {name: projection(g, name, claim_of(filed, code)) for name, code in PARTIES}


def scenario_1():
    with Gateway() as g:
        filed, seen = play_one(g, [0, 1, "application"])
        for name, (answer, body) in seen.items():
            expect_file(f"1-{name}", body)
        l1, l2 = seen["l1"][0], seen["l2"][0]
        checks.equal(l1["view"], "fixed_benefit_insurer", "L1 pays fixed benefits")
        checks.that(b'"lines"' not in seen["l1"][1], "L1 sees no lines")
        checks.that(b"56200" in seen["l2"][1], "L2 sees the receipt of 56,200")
        checks.equal(l2["case"]["expenses"][0]["totals"]["payable"]["stated"]["amount"], "56200", "payable as stated")
        checks.equal(seen["l2"][1], seen["l3"][1].replace("三".encode(), "二".encode()).replace(b"Sandbox l3", b"Sandbox l2").replace(L3.encode(), L2.encode()),
                     "two insurers with the same view see the same bytes but for their own name")
        for code in (L1, L2, L3, P1):
            others = [c for c in (L1, L2, L3, P1) if c != code]
            name = dict((c, n) for n, c in PARTIES)[code]
            text = g.call("GET", f"/v1/claims/{claim_of(filed, code)}", token=g.token(name)).body.decode()
            checks.that(not any(o in text for o in others), f"{name} learns no other insurer")
        # originals: only where the view covers the whole document
        originals = [d for d in l2["documents"] if "original" in d]
        checks.equal([d["kind"] for d in originals], ["certificate"], "L2 gets the certificate's own bytes")
        answer = g.call("GET", originals[0]["original"], token=g.token("l2"))
        checks.equal(answer.body, g.samples("1", g.dir / "again")[0].body, "the original is the bytes that were signed")
        checks.that("x-jws-signature" in answer.headers, "with their signature")
        checks.that(not any("original" in d for d in l1["documents"]), "L1 gets no original")
        # refusals
        checks.equal(g.call("GET", f"/v1/claims/{claim_of(filed, L1)}", token=g.token("l2")).status, 404, "another insurer's claim is not found")
        checks.equal(g.call("GET", f"/v1/claims/{claim_of(filed, L1)}", token=g.token("p2")).status, 404, "a fifth insurer finds nothing")
        checks.equal(g.call("GET", "/v1/events", token=g.token("p2")).json()["data"], [], "and has no event")
        bad = application_of(person_of(g.samples("1", g.dir / "more")[0]), [(L1, "health", ["daily_hospital"], ["certificate"])])
        bad["insurers"][0]["permission"]["purpose"] = "underwriting"
        answer = apply(g, bad, "person-wang")
        checks.equal(answer.code(), "purpose-not-allowed", "underwriting is no purpose here")
    with Gateway() as g:
        _, first = play_one(g, ["application", 1, 0])
        for name in first:
            checks.equal(leaves(first[name][1]), leaves(seen[name][1]), f"{name}: any order of arrival says the same")


def scenario_1_neighbours():
    """A case that differs only in what a party may not see gives it the same bytes."""
    def other_points(name, body):
        return body.replace(b'"valueDecimal":12870', b'"valueDecimal":12871').replace(b'"valueDecimal":19350', b'"valueDecimal":19351') if "receipt" in name else body

    def other_amounts(name, body):
        return body.replace(b"15000", b"15100").replace(b"48600", b"48700").replace(b"56200", b"56300") if "receipt" in name else body

    with Gateway() as g:
        _, plain = play_one(g, [0, 1, "application"])
    with Gateway() as g:
        _, points = play_one(g, [0, 1, "application"], other_points)
    with Gateway() as g:
        _, amounts = play_one(g, [0, 1, "application"], other_amounts)
    for name in ("l2", "l3", "p1"):
        checks.equal(points[name][1], plain[name][1], f"{name}: NHI points are withheld")
        checks.that(amounts[name][1] != plain[name][1], f"{name}: amounts are not")
    checks.equal(points["l1"][1], plain["l1"][1], "l1: points are withheld")
    checks.equal(amounts["l1"][1], plain["l1"][1], "l1: the receipt is withheld")


def boy_documents(g):
    for seed in range(1, 60):
        documents = g.samples(str(seed))
        if documents[0].body.startswith(b"{") and b"A180140004" in documents[0].body and "certificate" in documents[0].name:
            return documents
    raise RuntimeError("no sample is about the boy")


def scenario_9():
    mother = {"identifiers": [{"system": "http://www.immigration.gov.tw", "value": "A890110003"}], "name": "NGUYEN THI SANDBOX", "birth_date": "1986-02-20"}
    grandmother = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B280120005"}], "name": "王陳沙箱", "birth_date": "1952-09-30"}
    with Gateway() as g:
        documents = boy_documents(g)
        for d in documents:
            checks.equal(g.submit(d).status, 201, f"{d.name} is accepted")
        boy = person_of(documents[0])
        application = application_of(boy, [(L1, "health", ["daily_hospital"], ["certificate", "receipt"])], references_of(documents[0]), [mother],
                                     {"kind": "illness", "occurred": "2026-01-10"})
        application["common"]["policyholder"] = grandmother
        answer = apply(g, application, "person-nguyen", headers={"Accept-Language": "zh-TW"})
        checks.equal((answer.status, answer.code()), (422, "permission-joint-needed"), "the representative alone is refused")
        checks.that("法定代理人" in answer.body.decode(), "in Chinese")
        checks.equal(apply(g, application, "person-boy").code(), "permission-joint-needed", "the boy alone is refused")
        checks.equal(apply(g, application, "person-boy", "person-lee").code(), "permission-joint-needed", "a stranger is no representative")
        checks.equal(apply(g, application, "person-grandma").code(), "permission-evidence", "the policyholder cannot consent")
        wrong = application_of(boy, [(L1, "health", ["daily_hospital"], ["certificate"])], references_of(documents[0]), [mother])
        wrong["insurers"][0]["permission"]["text"] = {**consent_text(), "sha256": "0" * 64}
        checks.equal(apply(g, wrong, "person-boy", "person-nguyen").code(), "permission-text-unknown", "another text's hash")
        checks.equal(g.call("GET", "/v1/events", token=g.token("l1")).json()["data"], [], "nothing has left so far")

        filed = apply(g, application, "person-boy", "person-nguyen")
        checks.equal((filed.status, filed.json()["claims"][0]["state"]), (201, "permission_needed"), f"both together are accepted, and wait for the household extract {filed}")
        checks.equal(g.call("GET", "/v1/events", token=g.token("l1")).json()["data"], [], "nothing has left yet")
        checks.equal(represent.prove(g, "parent", boy, [mother]).status, 201, "the extract names his mother")
        _, body = projection(g, "l1", claim_of(filed, L1))
        expect_file("9-l1", body)
        codes = {c["role"]: c["code"] for c in filed.json()["track_codes"]}
        boys = g.call("GET", "/v1/track", headers={"X-Track-Token": codes["subject"], "Accept-Language": "zh-TW"}, token=g.token("app")).json()
        mothers = g.call("GET", "/v1/track", headers={"X-Track-Token": codes["representative"]}, token=g.token("app")).json()
        grandmas = g.call("GET", "/v1/track", headers={"X-Track-Token": codes["policyholder"]}, token=g.token("app")).json()
        checks.equal(len(boys["documents"]), len(documents) + 1, "the boy sees all documents")
        checks.equal(len(mothers["documents"]), len(documents) + 1, "the mother sees all documents")
        checks.that("documents" not in grandmas and "received_by" not in grandmas, "the grandmother sees no document")
        checks.equal(grandmas["claims"][0]["state"], boys["claims"][0]["state"], "but the state")
        checks.equal(boys["claims"][0]["label"], "傳送中", "in Chinese words")
        refused = g.call("GET", "/v1/permissions", headers={"X-Track-Token": codes["policyholder"]}, token=g.token("app"))
        checks.equal(refused.status, 401, "the grandmother does not read the permissions")


def withdrawal():
    with Gateway() as g:
        documents = g.samples("1")
        g.submit(documents[0])
        person = person_of(documents[0])
        filed = apply(g, application_of(person, [(L1, "health", ["daily_hospital"], ["certificate", "receipt"])], references_of(documents[0])), key_of(person))
        claim, permission = filed.json()["claims"][0]["claim"], filed.json()["claims"][0]["permission"]
        before = g.call("GET", "/v1/events", token=g.token("l1")).json()["data"]
        checks.equal([e["type"] for e in before], ["claim.opened", "document.available"], "two events")

        def withdraw(signer):
            x5c = [base64.b64encode(certificate_der(g.pki / f"{signer}.crt")).decode(), base64.b64encode(certificate_der(g.pki / "moica.crt")).decode()]
            signature = jws_es256(g.pki / f"{signer}.key", {"x5c": x5c}, compact({"withdraw": permission, "iat": 1}))
            return g.call("POST", f"/v1/permissions/{permission}/withdraw", compact({"signature": signature}), {"Content-Type": "application/json"}, g.token("app"))

        stranger = "person-lee" if key_of(person) != "person-lee" else "person-wang"
        checks.equal(withdraw(stranger).code(), "permission-evidence", "another person cannot withdraw it")
        answer = withdraw(key_of(person))
        checks.equal(answer.status, 200, f"the person withdraws {answer}")
        checks.that("receipt" in answer.json() and answer.json()["sends_begun"] == [], "receipt, and no send had begun")
        after = g.call("GET", "/v1/events", token=g.token("l1")).json()["data"]
        checks.equal([e["sequence"] for e in after], [e["sequence"] for e in before], "the numbers stay without gaps")
        checks.equal([e["type"] for e in after], ["tombstone", "tombstone"], "the events are tombstones")
        checks.equal(g.call("GET", f"/v1/claims/{claim}", token=g.token("l1")).json()["case"], {}, "the claim shows nothing any more")
        checks.equal(g.submit(documents[1]).parameter("outcome"), "waiting-permission", "a further document goes to nobody")
        checks.equal(withdraw(key_of(person)).code(), "permission-withdrawn", "once is enough")


def insurer_speaks():
    with Gateway() as g:
        documents = g.samples("1")
        g.submit(documents[0])
        person = person_of(documents[0])
        filed = apply(g, application_of(person, [(L2, "health", ["reimbursement_inpatient"], ["certificate"])], references_of(documents[0])), key_of(person))
        claim, token = filed.json()["claims"][0]["claim"], g.token("l2")

        def say(path, body, version, key="a" * 20, headers=None):
            return g.call("POST", f"/v1/claims/{claim}/{path}", compact(body),
                          {"Content-Type": "application/json", "If-Match": f'"{version}"', "Idempotency-Key": key, **(headers or {})}, token)

        checks.equal(say("status", {"state": "in_review"}, 1).code(), "version-conflict", "an old version is refused")
        first = say("status", {"state": "in_review"}, 2)
        checks.equal(first.status, 200, f"a status is accepted {first}")
        again = say("status", {"state": "in_review"}, 2)
        checks.equal((again.body, again.headers.get("idempotency-replayed")), (first.body, "true"), "the same key gives the same answer")
        checks.equal(say("status", {"state": "inquiry"}, 3).code(), "idempotency-key-reused", "the same key for another request")
        checks.equal(say("status", {"state": "paid"}, 3, "b" * 20).code(), "decision-unsigned", "paid needs a signed decision")
        checks.equal(say("status", {"state": "received"}, 3, "c" * 20).code(), "illegal-transition", "a claim does not go back")
        decision = {"outcome": "approved", "amount": {"amount": "40000", "currency": "TWD"}}
        checks.equal(say("decision", decision, 3, "d" * 20).code(), "decision-unsigned", "a decision without signature")
        name, value = g.sign(compact(decision), "l1")
        checks.equal(say("decision", decision, 3, "e" * 20, {name: value}).code(), "signer-wrong-organisation", "another insurer's signature")
        name, value = g.sign(compact(decision), "l2")
        answer = say("decision", decision, 3, "f" * 20, {name: value})
        checks.equal(answer.status, 200, f"its own signature {answer}")
        code = filed.json()["track_codes"][0]["code"]
        by_code = {"X-Track-Token": code}
        seen = g.call("GET", "/v1/track", headers=by_code, token=g.token("app")).json()
        checks.equal(seen["claims"][0]["state"], "approved", "the person sees the decision")
        checks.equal({**seen["claims"][0]["decision"], "at": ""}, {"outcome": "approved", "amount": decision["amount"], "at": ""}, "and its amount")
        checks.that(seen["received_by"], "and who received what")
        checks.equal(g.call("GET", "/v1/track", headers=by_code).code(), "login-required", "a code alone opens nothing")
        checks.equal(g.call("GET", "/v1/permissions", headers=by_code).code(), "login-required", "nor the permissions")
        checks.equal(g.call("GET", "/v1/track", headers=by_code, token=g.token("l1")).code(), "insufficient-scope", "nor to an insurer")
        session = g.call("POST", "/t/session", compact({"code": code, "birth_date": person["birth_date"]}), {"Content-Type": "application/json"}).json()
        for token in (None, g.token("app")):
            steps = g.call("GET", "/v1/track", headers={"X-Track-Token": session["track_token"]}, token=token).json()
            checks.equal(set(steps["claims"][0]), {"state", "label", "acting", "since"}, "code and birth date show steps and dates")
            checks.that("documents" not in steps and "received_by" not in steps, "and no documents")


def payee():
    with Gateway() as g:
        documents = g.samples("1")
        g.submit(documents[0])
        person = person_of(documents[0])
        application = application_of(person, [(L1, "health", ["daily_hospital"], ["certificate"]), (L2, "health", ["reimbursement_inpatient"], ["certificate"])],
                                     references_of(documents[0]))
        application["insurers"][0]["payee"] = {"account": {"bank": "000", "number": "99887766", "name": person["name"]}}
        filed = apply(g, application, key_of(person))
        checks.equal(filed.status, 201, f"an account in clear over the connection is sealed at intake {filed}")
        seen = g.call("GET", f"/v1/claims/{claim_of(filed, L1)}", token=g.token("l1"))
        checks.equal(seen.json()["payee"].count("."), 4, "the paying insurer gets a JWE")
        other = g.call("GET", f"/v1/claims/{claim_of(filed, L2)}", token=g.token("l2"))
        checks.that(other.json()["payee"] == "" and b"99887766" not in other.body, "another insurer gets no account")
        application["insurers"][0]["payee"] = {"jwe": "not.a.jwe"}
        application["id"] = "urn:uuid:again"
        checks.equal(apply(g, application, key_of(person)).code(), "payee-invalid", "a broken JWE is refused")


def main():
    for play in (payee, scenario_1, scenario_1_neighbours, scenario_9, withdrawal, insurer_speaks):
        print(play.__name__, flush=True)
        play()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
