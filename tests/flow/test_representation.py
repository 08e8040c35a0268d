"""Who acts for whom, by which paper: a minor's claim waits for the household extract; a mandate is the person's own; guardianship, assistance, several who act together;
what a paper does not name; its end by the person, by a later ruling, by its day; and that nobody reads as a representative without one."""
import json
import secrets
import sys

from represent import GRANDMA, LEE, MOTHER, WANG, day, paper, prove, send, signed
from support import Checks, Gateway, application_of, compact, wait_until
from test_login import App, login

checks = Checks()
L1 = "99000116"
PLAIN = {"Content-Type": "application/json"}
BOY = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "A180140004"}], "name": "王小箱", "birth_date": "2010-03-15"}
DAY = 86400


def application(person, representatives=(), visit=None):
    reference = {"author": "9901010016", "kind": "visit_no", "value": visit or secrets.token_hex(6)}
    return application_of(person, [(L1, "health", ["daily_hospital"], ["certificate", "receipt"])], [reference], representatives)


def file(g, what, signer, co=None, path="/v1/applications"):
    return g.call("POST", path, g.application(what, signer, co), PLAIN, g.token("app"))


def state(answer):
    return (answer.status, answer.json()["claims"][0]["state"]) if answer.status == 201 else (answer.status, answer.code())


def events(g, name="l1"):
    return [e["type"] for e in g.call("GET", "/v1/events?limit=200", token=g.token(name)).json()["data"]]


def tasks(g, name):
    return [(t["item"], t["state"], t["subject"].get("reason")) for t in g.call("GET", "/v1/tasks", token=g.token(name)).json()["data"]]


def track(g, answer, role):
    code = next(c["code"] for c in answer.json()["track_codes"] if c["role"] == role)
    return g.call("GET", "/v1/track", headers={"X-Track-Token": code}, token=g.token("app"))


def person_token(g, person, number):
    app = App(g)
    _, (_, parameters) = login(g, app, person, number)
    return app, app.code(parameters["code"]).json()["access_token"]


def wait(g, condition):
    """What the gateway does by itself is seen in its answers."""
    return wait_until(lambda: condition() or None)


# -- a minor --

def check_minor(g):
    before = events(g)
    waits = file(g, application(BOY, [MOTHER]), "person-boy", "person-nguyen")
    checks.equal(state(waits), (201, "permission_needed"), f"without the extract the claim opens and waits: {waits}")
    checks.equal(events(g), before, "and nothing has left")
    checks.equal(tasks(g, "app"), [("representation_proof", "open", "missing")], "the applicant has a Task")
    checks.equal(track(g, waits, "representative").code(), "representation-unproven", "who named herself reads nothing")
    checks.equal(track(g, waits, "subject").status, 200, "the boy does")

    for label, body, code in (
            ("of the police", signed(g, paper("parent", BOY, [MOTHER], issuer={"code": "A99010001K"}), "k1"), "representation-issuer"),
            ("of a court", signed(g, paper("parent", BOY, [MOTHER], issuer={"code": "A99120001G"}), "g1"), "representation-issuer"),
            ("by herself", signed(g, paper("parent", BOY, [MOTHER]), "person-nguyen"), "representation-issuer"),
            ("of a company", signed(g, paper("parent", BOY, [MOTHER], issuer={"code": "99001038"}), "app"), "representation-issuer"),
            ("in another's name", signed(g, paper("parent", BOY, [MOTHER]), "g1"), "signer-wrong-organisation"),
            ("with another typ", signed(g, paper("parent", BOY, [MOTHER]), "o1", "claimgate-application+jwt"), "signature-malformed"),
            ("of no known kind", signed(g, paper("friend", BOY, [MOTHER]), "o1"), "schema-invalid"),
            ("with an unknown act", signed(g, paper("parent", BOY, [MOTHER], acts=["marry"]), "o1"), "representation-act"),
            ("of a child without a birth date", signed(g, paper("parent", {k: v for k, v in BOY.items() if k != "birth_date"}, [MOTHER]), "o1"), "schema-invalid")):
        checks.equal(send(g, body).code(), code, f"an extract {label}")
    good = json.loads(signed(g, paper("parent", BOY, [MOTHER]), "o1"))
    head, payload, signature = good["signature"].split(".")
    flipped = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
    checks.that(send(g, compact({"signature": f"{head}.{flipped}.{signature}"})).status in (400, 422), "one character changed")
    checks.equal(events(g), before, "still nothing")

    stranger = prove(g, "parent", BOY, [GRANDMA])
    checks.equal((stranger.status, tasks(g, "app")[0][1]), (201, "open"), "an extract that names another frees nothing")
    body = signed(g, paper("parent", BOY, [MOTHER], issued="2026-01-06"), "o1")
    proven = send(g, body)
    row = proven.json()["representations"][0]
    checks.equal((proven.status, row["kind"], row["to"][:10]), (201, "parent", "2028-03-14"), f"the extract, good until he is of age: {proven}")
    checks.that(row["to"] == "2028-03-14T16:00:00.000000Z" or row["to"].startswith("2028-03-14T16:00:00"), "his birthday begins in Taiwan")
    checks.equal(events(g)[len(before):], ["claim.opened"], "what waited goes out")
    checks.equal(tasks(g, "app"), [], "the Task is done")
    checks.equal(track(g, waits, "representative").status, 200, "the mother reads")
    again = send(g, body)
    checks.equal((again.status, again.json()["outcome"]), (200, "duplicate"), "the same bytes again")
    checks.equal(prove(g, "parent", BOY, [GRANDMA], issued="2026-01-04").code(), "representation-older", "an earlier extract does not come back")
    checks.equal(state(file(g, application(BOY, [MOTHER]), "person-boy", "person-nguyen")), (201, "sent"), "the next one goes at once")
    checks.equal(file(g, application(BOY, [MOTHER]), "person-boy").code(), "permission-joint-needed", "the boy alone")
    checks.equal(file(g, application(BOY, [MOTHER]), "person-nguyen").code(), "permission-joint-needed", "his mother alone")
    return waits


# -- a mandate --

def check_mandate(g):
    checks.equal(file(g, application(WANG, [LEE]), "person-lee").code(), "representation-unproven", "nobody acts for a grown person on his own word")
    checks.equal(prove(g, "attorney", WANG, [LEE], "person-lee").code(), "representation-issuer", "nor writes the mandate himself")
    given = prove(g, "attorney", WANG, [LEE], "person-wang", to=day(30))
    checks.equal(given.status, 201, f"the person's own mandate: {given}")
    filed = file(g, application(WANG, [LEE]), "person-lee")
    checks.equal(state(filed), (201, "sent"), f"then he may: {filed}")
    checks.equal(track(g, filed, "representative").status, 200, "and reads")
    app, token = person_token(g, "person-wang", "A190130001")
    mine = app.call("GET", "/v1/person", token, headers={"Accept-Language": "zh-TW"}).json()["representations"]
    checks.equal([(r["kind"], r["role"], r["label"]) for r in mine], [("attorney", "represented", "受任人")], "the person reads it")
    lee, lees = person_token(g, "person-lee", "B290110002")
    checks.equal([(r["role"], r["label"]) for r in lee.call("GET", "/v1/person", lees, headers={"Accept-Language": "en"}).json()["representations"]], [("holder", "Attorney")], "so does the attorney")
    number = given.json()["representations"][0]["id"]
    nguyen, hers = person_token(g, "person-nguyen", "A890110003")
    checks.equal(nguyen.call("DELETE", f"/v1/representations/{number}", hers).code(), "not-found", "a stranger does not end it")
    by_law = next(r for r in nguyen.call("GET", "/v1/person", hers).json()["representations"] if "ended_at" not in r)
    checks.equal(nguyen.call("DELETE", f"/v1/representations/{by_law['id']}", hers).code(), "representation-by-law", "what the register says, no word ends")
    checks.equal(app.call("DELETE", f"/v1/representations/{number}", token).status, 204, "the person takes it back")
    checks.equal(app.call("DELETE", f"/v1/representations/{number}", token).status, 204, "again: the same")
    checks.equal(file(g, application(WANG, [LEE]), "person-lee").code(), "representation-unproven", "and it no longer counts")
    checks.equal(track(g, filed, "representative").code(), "representation-unproven", "nor opens the case")


def check_caregiver(g):
    checks.equal(prove(g, "caregiver", WANG, [LEE], "person-wang", acts=["account"]).code(), "representation-act", "no caregiver changes an account, whatever is signed")
    checks.equal(prove(g, "caregiver", WANG, [LEE], "person-wang").status, 201, "a caregiver's mandate")
    visit = secrets.token_hex(6)
    filed = file(g, application(WANG, [LEE], visit), "person-lee")
    checks.equal(state(filed), (201, "sent"), f"applies: {filed}")
    more = file(g, application(WANG, [LEE], visit), "person-lee", path="/v1/permissions")
    checks.equal(more.code(), "representation-act", "but gives no further permissions")
    lee, token = person_token(g, "person-lee", "B290110002")
    withdrawn = lee.call("POST", f"/v1/permissions/{filed.json()['claims'][0]['permission']}/withdraw", token, {})
    checks.equal(withdrawn.status, 200, f"who gave it for him takes it back: {withdrawn}")
    g.call("GET", "/v1/events", token=g.token("l1"))


def check_company(g):
    shop = {"code": "99000811", "name": "沙箱汽車修理廠有限公司"}
    checks.equal(prove(g, "attorney", shop, [LEE], "person-lee").code(), "representation-issuer", "a company's agent does not appoint himself")
    checks.equal(prove(g, "attorney", shop, [LEE], "app").code(), "signer-wrong-organisation", "nor does another company")
    checks.equal(prove(g, "attorney", shop, [LEE], "r1", acts=["apply"]).status, 201, "the company's own certificate does")


# -- guardianship --

def check_guardian(g):
    checks.equal(prove(g, "attorney", GRANDMA, [LEE], "person-grandma").status, 201, "a mandate of better days")
    checks.equal(prove(g, "guardian", GRANDMA, [WANG], "o1", issuer={"code": "A99510001H"}).code(), "representation-issuer", "a household office makes no guardian")
    ruling = prove(g, "guardian", GRANDMA, [WANG], issued="2026-01-10")
    checks.equal(ruling.status, 201, f"the ruling: {ruling}")
    checks.equal(file(g, application(GRANDMA), "person-grandma").code(), "person-under-guardianship", "the ward's own signature")
    checks.equal(file(g, application(GRANDMA, [LEE]), "person-lee").code(), "representation-unproven", "and her mandate no longer count")
    filed = file(g, application(GRANDMA, [WANG]), "person-wang")
    checks.equal(state(filed), (201, "sent"), f"the guardian alone does: {filed}")
    both = prove(g, "guardian", GRANDMA, [WANG, LEE], issued="2026-01-11", joint=True)
    checks.equal(both.status, 201, f"a later ruling names two who act together: {both}")
    checks.equal(file(g, application(GRANDMA, [WANG, LEE]), "person-wang").code(), "permission-joint-needed", "one of them alone")
    checks.equal(state(file(g, application(GRANDMA, [WANG, LEE]), "person-wang", "person-lee")), (201, "sent"), "both")
    checks.equal(prove(g, "guardian", GRANDMA, [], issued="2026-01-12").status, 201, "the guardianship is lifted")
    checks.equal(state(file(g, application(GRANDMA), "person-grandma")), (201, "sent"), "and she acts herself")


def check_assistance(g):
    checks.equal(prove(g, "assistant", LEE, [WANG], acts=["apply"]).status, 201, "an assistance for applications")
    visit = secrets.token_hex(6)
    checks.equal(file(g, application(LEE), "person-lee").code(), "permission-joint-needed", "alone no more")
    checks.equal(file(g, application(LEE, [WANG]), "person-wang").code(), "permission-joint-needed", "nor the assistant alone")
    checks.equal(file(g, application(LEE, [MOTHER]), "person-lee", "person-nguyen").code(), "representation-unproven", "nor with somebody else")
    filed = file(g, application(LEE, [WANG], visit), "person-lee", "person-wang")
    checks.equal(state(filed), (201, "sent"), f"both: {filed}")
    checks.equal(track(g, filed, "representative").code(), "representation-unproven", "the assistant does not read the case")
    checks.equal(file(g, application(LEE, (), visit), "person-lee", path="/v1/permissions").status, 201, "an act that the ruling does not name is her own")
    checks.equal(prove(g, "assistant", LEE, [], issued="2026-01-12").status, 201, "lifted")


# -- its day --

def check_expiry(g):
    soon = send(g, signed(g, paper("parent", BOY, [MOTHER], issued="2026-01-07", to=day(1)), "o1"))
    checks.equal(soon.status, 201, f"the mother's residence permit, and the extract with it, end soon: {soon}")
    filed = file(g, application(BOY, [MOTHER]), "person-boy", "person-nguyen")
    checks.equal(state(filed), (201, "sent"), "until then she acts")
    before = events(g)
    g.pass_time(3 * DAY)
    wait(g, lambda: ("representation_over", "open", None) in tasks(g, "l1"))
    over = [t for t in tasks(g, "app") if t[0] == "representation_over"]
    checks.that(len(over) >= 1, f"the applicant is told: {tasks(g, 'app')}")
    checks.that("claim.representation" in events(g)[len(before):], "the insurer concerned too, by an event without content")
    checks.that("claim.representation" not in events(g, "l2"), "and no other")
    checks.equal(track(g, filed, "representative").code(), "representation-unproven", "she no longer reads")
    stale = file(g, application(BOY, [MOTHER]), "person-boy", "person-nguyen")
    checks.equal(state(stale), (201, "permission_needed"), f"a further claim waits: {stale}")
    checks.that(("representation_proof", "open", "expired") in tasks(g, "app"), f"with a Task: {tasks(g, 'app')}")
    checks.equal(send(g, signed(g, paper("parent", BOY, [MOTHER], issued="2026-01-08", to=day(60)), "o1")).status, 201, "renewed")
    checks.that(("representation_proof", "open", "expired") not in tasks(g, "app"), "the Task is done")
    claim = stale.json()["claims"][0]["claim"]
    checks.equal(g.call("GET", f"/v1/claims/{claim}", token=g.token("l1")).json()["claim"]["state"], "sent", "and the claim has gone")


def main():
    with Gateway() as g:
        check_minor(g)
        check_mandate(g)
        check_caregiver(g)
        check_company(g)
        check_guardian(g)
        check_assistance(g)
        check_expiry(g)
        checks.equal(g.stop(), 0, "the gateway ends cleanly")
        checks.that(not any(word in g.log_text() for word in ("A180140004", "王小箱", "A890110003")), "nobody in the log")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
