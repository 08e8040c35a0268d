"""Records that are asked for: one accident, five companies, four documents, twenty requests.  Each document is fetched once and reaches exactly those entitled.

The law's earliest days by an injected clock; capacity, mandate, refusal, fee; a correction that reaches all who had the earlier version; another agency that can neither answer nor correct."""
import hashlib
import sys

from accidents import DAY, H1, H2, K1, K2, L1, L2, L3, LEE, P1, P2, P3, WANG, Desk, AccidentGateway, decide, mandate, party, record, resource_of, send, tell
from support import Checks, application_of, wait_until

checks = Checks()
NO = "11501AC10001"
ITEMS = ("slip", "diagram", "photos", "analysis")
FIVE = [("l1", L1, "injury"), ("l2", L2, "injury"), ("p1", P1, "cali"), ("p2", P2, "liability_injury"), ("p3", P3, "liability_injury")]
REFERENCE = {"author": K1, "kind": "accident_no", "value": NO}
PARTIES = [party(1, WANG, "C03", vehicle={"plate": "AAA-1234"}, injury_degree={"code": "2"}), party(2, LEE, "B03", vehicle={"plate": "BBB-5678"})]
DRAWING = b"%PDF-1.7 road"
PHOTO = b"\xff\xd8\xff\xe0" + b"road" * 5000 + b"\xff\xd9"


def midnight(g, n):
    """The n-th day begins in Taiwan."""
    return f"{g.day(n - 1)}T16:00:00.000Z"


def papers(g, desk):
    photo = {"sha256": hashlib.sha256(PHOTO).hexdigest(), "media": "image/jpeg", "bytes": len(PHOTO), "kind": "photo"}
    desk.keep(record(g, NO, "slip", PARTIES))
    drawing = {**photo, "sha256": hashlib.sha256(DRAWING).hexdigest(), "bytes": len(DRAWING), "kind": "diagram"}
    desk.keep(record(g, NO, "diagram", [party(1), party(2)], attachments=[drawing]), [DRAWING])
    desk.keep(record(g, NO, "photos", [party(1), party(2)], attachments=[photo]), [PHOTO])
    desk.keep(record(g, NO, "analysis", [party(1), party(2)],
                     opinions=[{"issued": g.day(30), "binding": False, "findings": [{"party": 1, "degree": "minor"}, {"party": 2, "degree": "main"}]}]))


def application(*, mandates=(), kinds=("accident-part",), insurers=FIVE, person=WANG):
    out = application_of(person, [(code, line, ["injury_medical"], list(kinds)) for _, code, line in insurers], [REFERENCE], event={"kind": "traffic"})
    for item in out["insurers"]:
        if item["line"] == "cali":
            item["benefits"] = [{"kind": "cali_medical"}]
    if mandates:
        out["mandates"] = list(mandates)
    return out


def ask(g, party_name, claim, items=ITEMS, holder=K1, **more):
    return g.post(party_name, "/v1/record-requests", {"claim": claim, "holder": holder, "subject": {"accident_no": NO, "occurred": g.day(0)}, "items": list(items), **more})


def asks(g, party_name, ids):
    return {row["item"]: row for row in (g.get(party_name, f"/v1/record-requests/{i}").json() for i in ids)}


def documents_of(g, party_name, claim):
    return [d["id"] for d in g.get(party_name, f"/v1/claims/{claim}").json()["documents"] if d["kind"] == "accident-part"]


def twenty():
    with AccidentGateway() as g:
        desk = Desk(g)
        papers(g, desk)
        g.set_options("k1", records_url=desk.url)
        filed = g.apply(application(), "person-wang")
        checks.equal(filed.status, 201, f"the application is accepted {filed}")
        claims = {name: next(c["claim"] for c in filed.json()["claims"] if c["recipient"] == code) for name, code, _ in FIVE}
        ids = {}
        for name, claim in claims.items():
            answer = ask(g, name, claim)
            checks.equal(answer.status, 202, f"{name} asks for four papers {answer}")
            ids[name] = [a["id"] for a in answer.json()["data"]]
            checks.equal({a["state"] for a in answer.json()["data"]}, {"permission_needed"}, f"{name}: a mandate is wanting")
        checks.equal((g.counts()["tasks"], g.counts()["asks"]), (4, 20), "twenty requests are four tasks")
        checks.equal(g.get("k1", "/v1/tasks").json()["data"], [], "without a mandate the agency is not even asked")
        again = ask(g, "l1", claims["l1"]).json()["data"]
        checks.equal([a["id"] for a in again], ids["l1"], "the same request again is the same request")
        checks.equal(g.counts()["asks"], 20, "and no further one")

        # the person's mandate: the slip at once, the others on their days
        given = g.permit({**application(insurers=[]), "insurers": [], "mandates": [mandate(K1, WANG, ["accident-part"])]}, "person-wang")
        checks.equal((given.status, [m["holder"] for m in given.json().get("mandates", [])]), (201, [K1]), f"the mandate is accepted {given}")
        checks.that(wait_until(lambda: asks(g, "p1", ids["p1"])["slip"]["state"] == "available"), "the slip is fetched")
        states = {item: row["state"] for item, row in asks(g, "p1", ids["p1"]).items()}
        checks.equal(states, {"slip": "available", "diagram": "not_yet", "photos": "not_yet", "analysis": "not_yet"}, "the others may not be asked for yet")
        earliest = {item: row.get("earliest") for item, row in asks(g, "p1", ids["p1"]).items()}
        checks.equal(earliest, {"slip": None, "diagram": midnight(g, 7), "photos": midnight(g, 7), "analysis": midnight(g, 30)}, "days of the regulation, Taiwan's midnight")
        checks.equal([q["item"] for q, _ in desk.asked], ["slip"], "the agency was asked for the slip alone")
        question, headers = desk.asked[0]
        checks.equal((question["subject"]["accident_no"], question["mandate"]["level"]), (NO, "presumption"), "with the accident and the mandate")
        checks.that("mandate" in question and len(question["mandate"]["signature"]) > 100 and "X-JWS-Signature" in headers, "which can be verified, in a signed question")
        text = str(question)
        checks.that(not any(code in text for _, code, _ in FIVE), "and names none of the companies")

        g.go_to_day(7)
        checks.that(wait_until(lambda: asks(g, "l2", ids["l2"])["photos"]["state"] == "available"), "photos on the seventh day")
        checks.that(wait_until(lambda: asks(g, "l2", ids["l2"])["diagram"]["state"] == "available"), "and the diagram")
        checks.equal(desk.count("analysis"), 0, "the analysis is not asked for before its day")
        g.go_to_day(30)
        checks.that(wait_until(lambda: asks(g, "p3", ids["p3"])["analysis"]["state"] == "available"), "the analysis on the thirtieth")

        checks.equal({item: desk.count(item) for item in ITEMS}, dict.fromkeys(ITEMS, 1), "each document is fetched once")
        for name, claim in claims.items():
            checks.equal({row["state"] for row in asks(g, name, ids[name]).values()}, {"available"}, f"{name}: all four are here")
            checks.equal(len(documents_of(g, name, claim)), 4, f"{name} has the four documents")
        checks.equal(g.events("l3"), [], "who did not ask and is not entitled has nothing")
        checks.equal(g.get("l3", f"/v1/record-requests/{ids['l1'][0]}").status, 404, "nor another's request")

        correction(g, desk, claims)
        later(g, claims)
        desk.close()


def correction(g, desk, claims):
    """A corrected slip reaches all who had the earlier one; another agency cannot correct it."""
    had = documents_of(g, "l1", claims["l1"])
    foreign = g.push(record(g, NO, "slip", PARTIES, agency="k2", revision=2, replaces=1), "k2")
    checks.equal((foreign.status, foreign.code()), (422, "replaces-unknown"), f"another agency has nothing to correct {foreign}")
    posing = g.push(record(g, NO, "slip", PARTIES, revision=2, replaces=1), "k2")
    checks.that(posing.code() in ("signer-wrong-organisation", "signer-unknown", "sender-not-allowed"), f"nor by signing in its name {posing}")
    parties = [{**PARTIES[0], "vehicle": {"plate": "AAA-1243"}}, PARTIES[1]]
    answer = g.push(record(g, NO, "slip", parties, revision=2, replaces=1))
    checks.equal(answer.status, 201, f"the agency itself corrects {answer}")
    for name, claim in claims.items():
        types = [e["type"] for e in g.events(name) if e.get("document") in had + [answer.json()["document"]]]
        checks.that("document.corrected" in types and "document.replaced" in types, f"{name}: told, and given the new version {types}")
        checks.that(answer.json()["document"] in documents_of(g, name, claim), f"{name} sees the correction")
    checks.equal([e for e in g.events("l3")], [], "nobody else is told")


def later(g, claims):
    """A company that comes later: nothing is fetched anew."""
    filed = g.apply(application(insurers=[("l3", L3, "injury")]), "person-wang")
    claim = filed.json()["claims"][0]["claim"]
    rows = ask(g, "l3", claim).json()["data"]
    checks.equal({r["state"] for r in rows}, {"available"}, "what is here is here at once")
    checks.equal(len(documents_of(g, "l3", claim)), 4, "and is given")
    narrow = g.apply(application(insurers=[("l3", L3, "health")], kinds=("certificate",)), "person-wang")
    claim = narrow.json()["claims"][0]["claim"]
    checks.that(narrow.status == 201 and claim, "a claim whose permission covers certificates only")


def owner_side():
    """The worklist: what an owner reads and says, and what others cannot."""
    with AccidentGateway() as g:
        filed = g.apply(application(mandates=[mandate(K1, WANG, ["accident-part"])], insurers=FIVE[:2]), "person-wang")
        claims = {c["recipient"]: c["claim"] for c in filed.json()["claims"]}
        case = filed.json()["case"]
        one = ask(g, "l1", claims[L1], ("slip", "photos")).json()["data"]
        checks.equal([a["state"] for a in one], ["requested", "not_yet"], "a mandate stands: the slip is asked for, the photos wait")
        ask(g, "l2", claims[L2], ("slip",))
        tasks = g.get("k1", "/v1/tasks").json()["data"]
        checks.equal([t["item"] for t in tasks], ["slip"], "the agency sees what may be asked for now, once")
        task = tasks[0]
        wait_until(lambda: g.next_at(task["id"]) is None)
        checks.equal(g.get("k1", f"/v1/tasks/{task['id']}").json()["version"], 1, "that the gateway looked whether to ask by the wire changes no version (it did once)")
        checks.equal((task["state"], task["mandate"]["level"], task["subject"]["accident_no"]), ("open", "presumption", NO), "with the mandate that it rests on")
        checks.that(L1 not in str(task) and L2 not in str(task), "but no company")
        path = f"/v1/tasks/{task['id']}"

        def answer(who, body, version=1):
            return g.post(who, f"{path}/answer", body, {"If-Match": f'"{version}"'})

        checks.equal(g.get("k2", path).status, 404, "another agency does not find the task")
        checks.equal((answer("k2", {"state": "refused", "reason": "not_ours"}).code()), "not-found", "nor answers it")
        checks.equal(answer("h1", {"state": "promised"}).code(), "not-found", "nor does a hospital")
        checks.equal(g.post("k1", f"{path}/answer", {"state": "promised"}).code(), "precondition-required", "an answer names the version it rests on")
        checks.equal(answer("k1", {"state": "refused", "reason": "lunch"}).code(), "task-reason", "a refusal has a reason of the list")
        checks.equal(answer("k1", {"state": "done"}).code(), "schema-invalid", "a record is not done by saying so")
        promised = answer("k1", {"state": "promised", "promised": f"{g.day(3)}T01:00:00Z", "fee": {"amount": "100", "currency": "TWD"}})
        checks.equal((promised.status, promised.json()["state"], promised.headers["etag"]), (200, "promised", '"2"'), f"a promise with a fee {promised}")
        row = g.get("l1", f"/v1/record-requests/{one[0]['id']}").json()
        checks.equal((row["state"], row["fee"], row["promised"]), ("promised", {"amount": "100", "currency": "TWD"}, f"{g.day(3)}T01:00:00.000Z"), "is told to who asked")
        checks.that("record.promised" in [e["type"] for e in g.events("l2")], "to each of them")
        checks.equal(answer("k1", {"state": "promised"}, 1).code(), "version-conflict", "an old version is refused")
        refused = answer("k1", {"state": "refused", "reason": "investigation"}, 2)
        row = g.get("l2", f"/v1/record-requests/{ask(g, 'l2', claims[L2], ('slip',)).json()['data'][0]['id']}").json()
        checks.equal((refused.status, row["state"], row["reason"]), (200, "refused", "investigation"), "a refusal with its reason")
        checks.that("record.refused" in [e["type"] for e in g.events("l1")], "is told")
        checks.equal(g.push(record(g, NO, "slip", PARTIES)).status, 201, "later the agency gives it all the same")
        row = g.get("l1", f"/v1/record-requests/{one[0]['id']}").json()
        checks.equal((row["state"], "reason" in row), ("available", False), "and it is here")
        checks.equal(answer("k1", {"state": "refused", "reason": "investigation"}, g.get("k1", path).json()["version"]).code(), "task-state", "what was given is not refused any more")

        wrong(g, claims, case)
        withdrawn(g, filed)


def wrong(g, claims, case):
    checks.equal(ask(g, "l1", claims[L1], ("slip",), holder="A99090001K").code(), "record-holder", "an agency that nobody knows")
    checks.equal(ask(g, "l1", claims[L1], ("certificate",)).code(), "record-item", "a police agency keeps no certificates")
    checks.equal(ask(g, "l1", claims[L1], ("slip",), capacity="party").code(), "record-capacity", "an insurer is no party")
    checks.equal(ask(g, "l2", claims[L1]).code(), "not-found", "nor asks for another's claim")
    checks.equal(g.post("app", "/v1/record-requests", {"case": case, "holder": K1, "subject": {"accident_no": NO, "occurred": g.day(0)}, "items": ["slip"], "capacity": "agent"}).code(),
                 "record-capacity", "the person's app is no agent")
    mine = g.post("app", "/v1/record-requests", {"case": case, "holder": K1, "subject": {"accident_no": NO, "occurred": g.day(0)}, "items": ["slip"]})
    checks.equal((mine.status, mine.json()["data"][0]["state"], mine.json()["data"][0]["capacity"]), (202, "available", "party"), f"the person's app asks for the person {mine}")
    checks.equal(g.post("l1", "/v1/record-requests", {"claim": claims[L1], "holder": K1, "subject": {"accident_no": NO}, "items": ["photos"]}).code(), "schema-invalid", "without a day no earliest day")
    stranger = application(person=LEE, insurers=FIVE[2:3], mandates=[mandate(K1, WANG, ["accident-part"])])
    checks.equal(g.apply(stranger, "person-lee").code(), "schema-invalid", "nobody gives another's mandate")
    own = application(insurers=FIVE[2:3], mandates=[{**mandate(K1, WANG, ["accident-part"]), "holder": "A99090001K"}])
    checks.equal(g.apply(own, "person-wang").code(), "record-holder", "a mandate names a registered holder")


def withdrawn(g, filed):
    """A mandate that is withdrawn takes the task from the owner's list at once."""
    import base64
    from support import certificate_der, compact, jws_es256
    g.go_to_day(8)
    checks.equal([t["item"] for t in g.get("k1", "/v1/tasks").json()["data"]], ["photos"], "the photos' day has come")
    permission = filed.json()["mandates"][0]["permission"]
    x5c = [base64.b64encode(certificate_der(g.pki / "person-wang.crt")).decode(), base64.b64encode(certificate_der(g.pki / "moica.crt")).decode()]
    signature = jws_es256(g.pki / "person-wang.key", {"x5c": x5c}, compact({"withdraw": permission, "iat": 1}))
    answer = g.post("app", f"/v1/permissions/{permission}/withdraw", {"signature": signature})
    checks.equal(answer.status, 200, f"the person withdraws the mandate {answer}")
    checks.equal(g.get("k1", "/v1/tasks").json()["data"], [], "and the agency is not asked any more")


def attorney():
    """A mandate to who asks, instead of to who keeps the record: it stands for this one alone."""
    with AccidentGateway() as g:
        given = {"attorney": L1, "permission": mandate(K1, WANG, ["accident-part"])["permission"]}
        filed = g.apply(application(mandates=[given], insurers=FIVE[:2]), "person-wang")
        claims = {c["recipient"]: c["claim"] for c in filed.json()["claims"]}
        checks.equal(ask(g, "l2", claims[L2], ("slip",)).json()["data"][0]["state"], "permission_needed", "another's attorney is not this one's")
        checks.equal(g.get("k1", "/v1/tasks").json()["data"], [], "the agency is not asked for it")
        checks.equal(ask(g, "l1", claims[L1], ("slip",)).json()["data"][0]["state"], "requested", "the attorney asks")
        checks.equal(len(g.get("k1", "/v1/tasks").json()["data"]), 1, "and the agency is asked")


def hospital():
    """The same for a hospital: H2's task is H2's; its paper, sent as always, answers it."""
    with AccidentGateway() as g:
        document = next(d for seed in range(1, 40) for d in g.samples(str(seed)) if d.author == "h2" and "certificate" in d.name and not d.is_xml and b"A190130001" in d.body)
        encounter = next(e["resource"] for e in document.json()["entry"] if e["resource"]["resourceType"] == "Encounter")
        visit = encounter["identifier"][0]["value"]
        insurers = [("l1", L1, "health"), ("l2", L2, "health")]
        body = application_of(WANG, [(code, line, ["reimbursement_inpatient"], ["certificate"]) for _, code, line in insurers], [{"author": H2, "kind": "visit_no", "value": visit}])
        body["mandates"] = [mandate(H2, WANG, ["certificate"], uses=1)]
        filed = g.apply(body, "person-wang")
        claims = {c["recipient"]: c["claim"] for c in filed.json()["claims"]}
        request = {"holder": H2, "subject": {"visit_no": visit}, "items": ["certificate"]}
        first = g.post("l1", "/v1/record-requests", {"claim": claims[L1], **request}).json()["data"][0]
        second = g.post("l2", "/v1/record-requests", {"claim": claims[L2], **request}).json()["data"][0]
        checks.equal((first["state"], second["state"]), ("requested", "requested"), "both ask")
        tasks = g.get("h2", "/v1/tasks").json()["data"]
        checks.equal([(t["item"], t["subject"]) for t in tasks], [("certificate", {"visit_no": visit})], "one task to the second hospital")
        checks.equal(g.get("h1", "/v1/tasks").json()["data"], [], "none to the first")
        path = f"/v1/tasks/{tasks[0]['id']}/answer"
        checks.equal(g.post("h1", path, {"state": "promised"}, {"If-Match": '"1"'}).code(), "not-found", "which cannot answer it")
        checks.equal(g.submit(document).status, 201, "the hospital sends its certificate as always")
        for name, one in (("l1", first), ("l2", second)):
            checks.equal(g.get(name, f"/v1/record-requests/{one['id']}").json()["state"], "available", f"{name}'s request is answered")
        checks.equal(g.get("h2", "/v1/tasks").json()["data"], [], "nothing is left to do")
        wrong_kind = g.post("l1", "/v1/record-requests", {"claim": claims[L1], "holder": H2, "subject": {"visit_no": visit}, "items": ["report"]})
        checks.equal((wrong_kind.status, wrong_kind.code()), (403, "permission-needed"), "nothing is asked for an insurer that could not have it")
        once = g.post("l1", "/v1/record-requests", {"claim": claims[L1], "holder": H2, "subject": {"visit_no": visit + "9"}, "items": ["certificate"]}).json()["data"][0]
        checks.equal(once["state"], "permission_needed", "one use is one paper")


def receipt_replaced():
    """A hospital replaces a receipt: whoever decided on the earlier one has a task, whoever had it a notice, nobody else anything."""
    with AccidentGateway() as g:
        papers = g.samples("21")
        new = next(d for d in papers if "receipt-2" in d.name)
        first = [d for d in papers if d is not new]
        old = [send(g, d.body, d.author, d.author) for d in first][-1].parameter("document")
        visit = {"author": resource_of(first[0].body, "Organization")["identifier"][0]["value"], "kind": "visit_no", "value": resource_of(first[0].body, "Encounter")["identifier"][0]["value"]}
        both = ("certificate", "receipt", "report")
        filed = g.apply(application_of(WANG, [(L1, "health", ["reimbursement_inpatient"], both), (L2, "health", ["reimbursement_inpatient"], both), (L3, "health", ["daily_hospital"], ("certificate",))],
                                       [visit]), "person-wang")
        checks.equal(filed.status, 201, f"the application {filed}")
        claims = {c["recipient"]: c["claim"] for c in filed.json()["claims"]}
        for name, code in (("l1", L1), ("l2", L2), ("l3", L3)):
            checks.equal(tell(g, name, claims[code], "in_review").status, 200, f"{name} reviews")
        for name, code in (("l2", L2), ("l3", L3)):
            decided = decide(g, name, claims[code], outcome="approved", amount={"amount": "40000", "currency": "TWD"})
            checks.equal(decided.status, 200, f"{name} decides {decided}")
        checks.equal(g.get("l2", "/v1/tasks").json()["data"], [], "nobody has a task yet")

        answer = send(g, new.body, new.author, new.author)
        checks.equal(answer.status, 201, f"the hospital replaces its receipt {answer}")
        tasks = g.get("l2", "/v1/tasks").json()["data"]
        checks.equal([(t["item"], t["state"], t["subject"]) for t in tasks], [("receipt_replaced", "open", {"claim": claims[L2], "document": answer.parameter("document")})],
                     "L2 decided on the earlier receipt: it has a task that names its claim and the new one")
        checks.equal(g.get("l1", "/v1/tasks").json()["data"], [], "L1 had it and has not decided: no task")
        checks.that("document.corrected" in [e["type"] for e in g.events("l1") if e.get("document") == old], "but the notice")
        checks.equal(g.get("l3", "/v1/tasks").json()["data"], [], "L3 decided without it: no task")
        checks.that(not [e for e in g.events("l3") if e.get("document") in (old, answer.parameter("document"))], "and no notice")
        path = f"/v1/tasks/{tasks[0]['id']}"
        checks.equal(g.get("l1", path).status, 404, "another insurer does not find it")
        checks.equal(g.post("l1", f"{path}/answer", {"state": "done"}, {"If-Match": '"1"'}).code(), "not-found", "nor answers it")
        checks.equal(g.post("l2", f"{path}/answer", {"state": "refused", "reason": "not_ours"}, {"If-Match": '"1"'}).code(), "schema-invalid", "it is not refused")
        done = g.post("l2", f"{path}/answer", {"state": "done"}, {"If-Match": '"1"'})
        checks.equal((done.status, done.json()["state"], done.headers["etag"]), (200, "answered", '"2"'), f"L2 has looked {done}")
        checks.equal(g.get("l2", "/v1/tasks").json()["data"], [], "and nothing is left to do")
        checks.equal(g.post("l2", f"{path}/answer", {"state": "done"}, {"If-Match": '"2"'}).code(), "task-state", "once")
        again = send(g, new.body, new.author, new.author)
        checks.equal((again.status, g.get("l2", "/v1/tasks").json()["data"]), (200, []), "the same receipt again asks nothing anew")


def main():
    for play in (twenty, owner_side, attorney, hospital, receipt_replaced):
        print(play.__name__, flush=True)
        play()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
