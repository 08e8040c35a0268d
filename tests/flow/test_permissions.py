"""Permissions from evidence: a MyData consent is one pull; a wallet's presentation that binds the text is a signed consent, otherwise identity; mandates ask and release
nothing; motor insurers are told by law without consent; and the person reads all of it in one record."""
import base64
import hashlib
import secrets
import sys
import urllib.parse

import test_mydata
import test_wallet
from support import (LEE, WANG, Checks, Gateway, application_of, b64url, certificate_der, claimgate, compact, consent_text, jws_es256, wait_until)

checks = Checks()
PLAIN = {"Content-Type": "application/json"}
L1, L3, P1, P3, FUND = "99000116", "99000333", "99000447", "99000663", "99000707"
VISIT = {"author": "9901010016", "kind": "visit_no", "value": "V10000001"}
ACCIDENT = {"author": "A99010001K", "kind": "accident_no", "value": "SB20260110001"}
SLIP = {"version": 1, "agency": {"oid": "A99010001K", "name": "沙箱市政府警察局交通警察大隊", "kind": "police"}, "accident_no": "SB20260110001", "part": "slip", "revision": 1,
        "status": "final", "form_era": "2022", "class": "A2", "occurred": "2026-01-10T08:15:00+08:00", "place": {"text": "沙箱市模擬區測試路與範例街口", "county": "沙箱市"},
        "casualties": {"dead_24h": 0, "injured": 1},
        "parties": [{"seq": 1, "name": "王沙箱", "identifiers": [{"system": "http://www.moi.gov.tw", "value": "A190130001"}], "birth_date": "1988-05-12", "vehicle": {"plate": "SBX-0001"}},
                    {"seq": 2, "vehicle": {"plate": "SBX-0002"}}]}


def post(g, path, body, name="app", **more):
    return g.call("POST", path, body if isinstance(body, bytes) else compact(body), {**PLAIN, **more}, g.token(name))


def file(g, application, person="person-wang", path="/v1/applications"):
    answer = post(g, path, g.application(application, person))
    checks.equal(answer.status, 201, f"filed: {answer}")
    return answer.json()


def record(g, filed):
    answer = g.call("GET", "/v1/permissions", headers={"X-Track-Token": filed["track_codes"][0]["code"]}, token=g.token("app"))
    checks.equal(answer.status, 200, f"the record: {answer}")
    return answer.json()["data"]


# -- MyData --

def check_mydata(g, app, filed):
    """Scenario 4: diagram, photos and analysis are three consents at the platform; the fourth pull on a used one is refused, and one that the person missed asks for him."""
    def begin():
        answer = post(g, "/v1/mydata-requests", {"resources": ["API.police"], "return_url": "https://app.example.tw/back", "case": filed["case"]})
        checks.equal(answer.status, 201, f"a request for the case: {answer}")
        return answer.json()

    def pull(one, name="app"):
        return post(g, f"/v1/mydata-requests/{one['id']}/pull", {}, name)
    done = []
    for i in range(3):
        app.platform.packages[f"use-{i}"] = [(200, test_mydata.package(g), {})]
        one = begin()
        early = pull(one)
        checks.equal((early.status, early.code()), (403, "permission-needed"), "before the person consents at the platform")
        checks.equal(app.notice(one, f"use-{i}").status, 200, "the platform tells of the consent")
        checks.equal(app.until(one, "done", "refused")["state"], "done", "one consent, one transfer")
        done.append(one)
    for i, one in enumerate(done):
        again = pull(one)
        checks.equal((again.status, again.code(), app.fetches(f"use-{i}")), (403, "permission-used", 1), "a second pull on a used permission")
    missed = begin()
    answer = pull(missed)
    checks.equal((answer.status, answer.code()), (403, "permission-needed"), "one that the person missed")
    checks.equal(pull(done[0], "l1").status, 403, "another organisation has no scope for it")
    rows = [p for p in record(g, filed) if p["basis"] == "mydata"]
    checks.equal([(p["kind"], p["level"], p["uses_left"], p["resources"]) for p in rows], [("consent", "plain", 0, ["API.police"])] * 3, "the record has each of them, spent")
    other = post(g, "/v1/mydata-requests", {"resources": ["API.police"], "return_url": "https://app.example.tw/back", "case": "case-01k00000000000000000000000"})
    checks.equal((other.status, other.code()), (404, "not-found"), "a case of nobody")


def check_not_ready(g, app):
    """The platform had nothing ready: the use is given back, and spent when the data come."""
    app.platform.packages["late"] = [(429, b"", {"Retry-After": "1"}), (200, test_mydata.package(g), {})]
    one = app.begin()
    app.notice(one, "late")
    checks.equal(app.until(one, "done", "refused")["state"], "done", "asked again after its time")
    again = post(g, f"/v1/mydata-requests/{one['id']}/pull", {})
    checks.equal(again.code(), "permission-used", "and spent then")


# -- wallet --

def container(application, mandates=()):
    """Payload and items of an application that no card signs."""
    items = [["common", application["common"]]] + [["insurer", i] for i in application["insurers"]] + [["mandate", m] for m in mandates]
    items = [b64url(compact([b64url(secrets.token_bytes(16)), kind, value])) for kind, value in items]
    digests = [b64url(hashlib.sha256(i.encode()).digest()) for i in items]
    digests += [b64url(secrets.token_bytes(32)) for _ in range(-len(digests) % 8)]
    return compact({"v": 1, "id": application["id"], "iat": 1, "items": sorted(digests)}), items


def presented(g, app, wallet, payload, text="claim-consent/1/zh-TW", person=test_wallet.PERSON, index=1, **more):
    one = app.ask(profile="oid4vp-1.0", type=test_wallet.VCT, claims=["name", "id_number"], **({"text": text} if text else {}),
                  **({"payload": b64url(payload)} if payload else {}), **more)
    asked = test_wallet.request_object(g, one)
    checks.equal(wallet.answer(one, wallet.present(asked, wallet.credential(index, **person))).status, 200, "the wallet's answer")
    checks.equal(app.until(one, "verified", "refused")["state"], "verified", "the presentation holds")
    return one["id"]


def check_wallet(g, app, wallet):
    application = application_of(WANG, [(L1, "health", ["daily_hospital"], ["certificate"]), (L3, "health", ["daily_hospital"], ["certificate"])], [VISIT])
    payload, items = container(application)
    shown = presented(g, app, wallet, payload)

    def send(presentation, of=payload, by=None, path="/v1/applications"):
        return post(g, path, {"payload": b64url(of), "presentations": [presentation], "items": by or items})
    identity = presented(g, app, wallet, None, text=None)
    refused = send(identity)
    checks.equal((refused.status, refused.code()), (422, "permission-evidence"), "a presentation without a text is identity, no consent")
    text_only = presented(g, app, wallet, None)
    checks.equal(send(text_only).code(), "permission-evidence", "nor one that binds the text but not what is filed")
    stranger = presented(g, app, wallet, payload, person={"name": "李沙箱", "id_number": "B290110002"})
    checks.equal(send(stranger).code(), "permission-evidence", "nor another person's")
    other, other_items = container(application)
    checks.equal(send(shown, other, other_items).code(), "permission-evidence", "nor one for other items")
    english = presented(g, app, wallet, payload, text="claim-consent/1/en")
    checks.equal(send(english).code(), "permission-text-unknown", "nor one that bound another text than the items name")
    filed = send(shown)
    checks.equal(filed.status, 201, f"a signed consent: {filed}")
    filed = filed.json()
    checks.equal({c["recipient"]: c["state"] for c in filed["claims"]}, {L1: "sent", L3: "permission_needed"}, "L3 asks for a certificate's signature, and its claim waits")
    levels = {(p["recipient"][:4], p["kind"], p["level"], p["text"]["id"]) for p in record(g, filed)}
    checks.equal({level[1:] for level in levels}, {("consent", "plain", "claim-consent")}, "plain: no certificate of a permitted authority stands behind it")
    claim = next(c["claim"] for c in filed["claims"] if c["recipient"] == L1)
    seen = g.call("GET", f"/v1/claims/{claim}", token=g.token("l1"))
    checks.equal((seen.status, seen.json()["application"]["presentations"][0]["about"]["binds_text"]), (200, True), "the insurer holds what was bound, and by whom")
    checks.that(test_wallet.PERSON["id_number"].encode() not in base64.b64decode(b64pad(seen.json()["application"]["payload"])), "the payload is digests")
    again = send(shown)
    checks.equal((again.status, again.json().get("outcome")), (200, "duplicate"), "the same bytes again are known")
    third, third_items = container({**application, "id": "urn:uuid:third"})
    checks.equal(send(shown, third, third_items).status, 409, "and a presentation is spent once")
    return filed


def b64pad(text):
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)


def check_wallet_withdrawal(g, app, wallet, filed):
    permission = filed["claims"][0]["permission"]
    word = compact({"withdraw": permission})

    def withdraw(person):
        shown = presented(g, app, wallet, word, person=person)
        return post(g, f"/v1/permissions/{permission}/withdraw", {"presentation": shown, "payload": b64url(word)})
    checks.equal(withdraw({"name": "李沙箱", "id_number": "B290110002"}).code(), "permission-evidence", "another person's wallet does not withdraw it")
    checks.equal(withdraw(test_wallet.PERSON).status, 200, "the person's own does")
    checks.equal(withdraw(test_wallet.PERSON).code(), "permission-withdrawn", "once")


# -- mandates --

def check_mandate(g, filed):
    item = {"attorney": "99001038", "permission": {"purpose": "claim", "document_kinds": ["accident-part"], "from": "2026-01-01T00:00:00Z", "text": consent_text("mandate")}}
    application = application_of(WANG, [], [VISIT])
    payload, items = container(application, [item])
    x5c = [base64.b64encode(certificate_der(g.pki / "person-wang.crt")).decode()]
    signed = {"signature": jws_es256(g.pki / "person-wang.key", {"typ": "claimgate-application+jwt", "x5c": x5c}, payload), "items": items}
    answer = post(g, "/v1/permissions", signed)
    checks.equal((answer.status, [m["attorney"] for m in answer.json().get("mandates", [])]), (201, ["99001038"]), f"a mandate to the app: {answer}")
    mandate = answer.json()["mandates"][0]["permission"]
    row = next(p for p in record(g, filed) if p["id"] == mandate)
    checks.equal((row["kind"], row["level"], row["used"]), ("mandate", "presumption", []), "it asks, and releases nothing")
    x5c = [base64.b64encode(certificate_der(g.pki / "person-lee.crt")).decode()]
    other = {"signature": jws_es256(g.pki / "person-lee.key", {"typ": "claimgate-application+jwt", "x5c": x5c}, payload), "items": items}
    checks.equal(post(g, "/v1/permissions", other).code(), "permission-evidence", "a stranger's mandate")


# -- contract --

def check_contract(g):
    """A direct payment agreement: kind contract, of vehicle papers, its uses counted, ended by the person."""
    name, value = g.sign(compact({**SLIP, "accident_no": "SB20260110009"}), "k1")
    sent = compact({**SLIP, "accident_no": "SB20260110009"})
    checks.equal(g.call("POST", "/v1/accident-records", sent, {**PLAIN, name: value}, g.token("k1")).status, 201, "a slip")

    def agreement(line="own_damage", kinds=("accident-part", "motor-repair"), **more):
        application = application_of(WANG, [(P1, line, ["vehicle_repair"], kinds)], [{**ACCIDENT, "value": "SB20260110009"}])
        application["insurers"][0]["permission"].update(text=consent_text("contract-direct-payment"), **more)
        return application

    def refused(application):
        return post(g, "/v1/applications", g.application(application)).code()
    checks.equal(refused(agreement(kinds=("accident-part", "receipt"))), "permission-invalid", "no medical paper rests on a contract")
    checks.equal(refused(agreement(line="cali")), "permission-invalid", "nor another line than the own vehicle's")
    filed = file(g, agreement(uses=1))
    row = record(g, filed)[0]
    checks.equal((row["kind"], row["basis"], row["text"]["version"], row["uses_left"]), ("contract", "contract-direct-payment", "1", 1), "a contract, by its text, once")
    claim = filed["claims"][0]["claim"]
    seen = g.call("GET", f"/v1/claims/{claim}", token=g.token("p1"))
    checks.that(seen.status == 200 and seen.json()["case"].get("accident"), f"the insurer reads the slip under it: {seen}")
    checks.equal(record(g, filed)[0]["uses_left"], 0, "and the use is counted")
    permission = filed["claims"][0]["permission"]
    x5c = [base64.b64encode(certificate_der(g.pki / "person-wang.crt")).decode()]
    ended = post(g, f"/v1/permissions/{permission}/withdraw", {"signature": jws_es256(g.pki / "person-wang.key", {"x5c": x5c}, compact({"withdraw": permission}))})
    checks.equal(ended.status, 200, f"the person ends it: {ended}")
    checks.equal(g.call("GET", f"/v1/claims/{claim}", token=g.token("p1")).json()["case"], {}, "nothing is shown any more")


# -- by law --

def check_by_law(g):
    """Scenarios 4 and 5: the insurer that takes the claim tells the other vehicle's insurer and the fund."""
    name, value = g.sign(compact(SLIP), "k1")
    checks.equal(g.call("POST", "/v1/accident-records", compact(SLIP), {**PLAIN, name: value}, g.token("k1")).status, 201, "the slip")
    d = [d for d in g.samples("1..12") if b"A190130001" in d.body][:2]
    visit = next(e["resource"]["identifier"][0]["value"] for e in d[0].json()["entry"] if e["resource"]["resourceType"] == "Encounter")
    for one in d:
        g.submit(one)
    application = application_of(WANG, [(P1, "cali", ["cali_medical"], ["certificate", "receipt", "accident-part"]), (L1, "health", ["daily_hospital"], ["certificate"])],
                                 [ACCIDENT, {**VISIT, "value": visit}])
    filed = file(g, application)
    claim, health = (next(c["claim"] for c in filed["claims"] if c["recipient"] == code) for code in (P1, L1))

    def tell(body, who="p1", of=claim):
        return post(g, f"/v1/claims/{of}/notices", body, who)
    law = {"to": P3, "basis": "cali-14-3"}
    for body, who, of, code in (({**law, "basis": "because"}, "p1", claim, "notice-basis"), ({**law, "to": "99001038"}, "p1", claim, "recipient-unknown"),
                                ({**law, "to": P1}, "p1", claim, "recipient-unknown"), (law, "l1", health, "notice-basis"), (law, "p3", claim, "not-found")):
        checks.equal(tell(body, who, of).code(), code, f"refused: {body} by {who}")
    first = tell(law)
    checks.equal((first.status, first.json()["article"][:2]), (201, "強制"), f"P1 tells P3: {first}")
    again = tell(law)
    checks.equal((again.status, again.json()["permission"]), (200, first.json()["permission"]), "once")
    checks.equal(tell({"to": FUND, "basis": "cali-14-3"}).status, 201, "and the fund")
    for who in ("p3", "fund"):
        events = g.call("GET", "/v1/events", token=g.token(who)).json()["data"]
        checks.equal([e["type"] for e in events], ["claim.notified", "document.available"], f"{who} is told, and gets the accident's paper")
        seen = g.call("GET", f"/v1/claims/{events[0]['claim']}", token=g.token(who))
        checks.equal((seen.status, seen.json()["claim"]["state"], [x["kind"] for x in seen.json()["documents"]]), (200, "permission_needed", ["accident-part"]), f"{who} sees that")
        for word in (b"diagnos", b"expenses", b"encounter", visit.encode()):
            checks.that(word not in seen.body, f"{who}: nothing medical ({word})")
    checks.equal({e["type"] for e in g.call("GET", "/v1/events", token=g.token("l3")).json()["data"]} & {"claim.notified"}, set(), "nobody else is told")
    rows = [p for p in record(g, filed) if p["kind"] == "statute"]
    checks.equal({(p["basis"], p["level"], len(p["used"])) for p in rows}, {("cali-14-3", "law", 2)}, "the person reads it: article, holder, what went")
    x5c = [base64.b64encode(certificate_der(g.pki / "person-wang.crt")).decode()]
    word = jws_es256(g.pki / "person-wang.key", {"x5c": x5c}, compact({"withdraw": rows[0]["id"]}))
    ended = post(g, f"/v1/permissions/{rows[0]['id']}/withdraw", {"signature": word})
    checks.that(ended.status in (409, 422), f"what the law demands is not withdrawn ({ended})")
    late = {**SLIP, "part": "other"}
    name, value = g.sign(compact(late), "k1")
    answer = g.call("POST", "/v1/accident-records", compact(late), {**PLAIN, name: value}, g.token("k1"))
    checks.equal(answer.status, 201, f"a later part: {answer}")
    events = g.call("GET", "/v1/events", token=g.token("p3")).json()["data"]
    checks.equal([e["type"] for e in events], ["claim.notified", "document.available", "document.available"], "a later part of the record follows")
    claims = post(g, "/v1/claims:search", {}, "p3").json()["data"]
    checks.equal([c["state"] for c in claims], ["permission_needed"], "and the claim still waits for the person")


def with_stronger_evidence(g, code):
    """The registry's row of an insurer asks for a certificate's signature."""
    config = g.dir / "claimgate.conf"
    import json
    old = next(p for p in json.loads(claimgate("partner", "list", "--config", config).stdout)["data"] if p["code"] == code)
    body = {key: old[key] for key in ("kind", "code", "name_zh", "scopes", "acts_for", "quota")}
    body["options"] = {"min_evidence": "presumption"}
    (g.dir / "change.json").write_bytes(compact({"kind": "partner.put", "subject": old["id"], "body": body}))
    done = claimgate("partner", "propose", g.dir / "change.json", "--operator", g.dir / "pki/op1.key", "--config", config)
    change = json.loads(done.stdout)
    if change["state"] == "proposed":
        claimgate("partner", "approve", change["change"], "--operator", g.dir / "pki/op2.key", "--config", config)


def main():
    world, platform, g = test_wallet.World(), test_mydata.Platform(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    key, issuer = test_wallet.set_up(g, world)
    test_mydata.set_up(g, platform)
    with_stronger_evidence(g, L3)
    with g:
        app, wallet = test_wallet.App(g), test_wallet.Wallet(g, world, key, issuer)
        filed = check_wallet(g, app, wallet)
        mydata = test_mydata.App(g, platform)
        check_mydata(g, mydata, filed)
        check_not_ready(g, mydata)
        check_mandate(g, filed)
        check_wallet_withdrawal(g, app, wallet, filed)
        checks.that(world.lists_fetched <= 2, f"a status list is fetched once for many presentations, not {world.lists_fetched} times")
    with Gateway() as g:
        check_by_law(g)
        check_contract(g)
        checks.that(LEE["name"] not in g.log_text() and WANG["name"] not in g.log_text(), "no person in the log")
    return checks.done() + test_wallet.checks.done() + test_mydata.checks.done()


if __name__ == "__main__":
    sys.exit(main())
