"""Another account after the filing: only the payee and only after a fresh login; the insurer is told, waits, and gets it sealed to its key; the person hears of it by the ways
that were there before and can stop it; a claim that is paid or over keeps its account."""
import secrets
import sys

from represent import LEE, MOTHER, WANG, prove
from support import Checks, Gateway, application_of, compact, wait_until
from test_login import App, login

checks = Checks()
L1, L2 = "99000116", "99000220"
PLAIN = {"Content-Type": "application/json"}
HOUR = 3600


def account(number):
    return {"payee": {"account": {"bank": "000", "number": number, "name": "王沙箱"}}}


def token_of(g, person, number):
    app = App(g)
    _, (_, parameters) = login(g, app, person, number)
    return app, app.code(parameters["code"]).json()["access_token"]


def file(g, person, signer, representatives=(), insurers=(L1,), policyholder=None):
    what = application_of(person, [(code, "health", ["daily_hospital"], ["certificate"]) for code in insurers], [{"author": "9901010016", "kind": "visit_no", "value": secrets.token_hex(6)}],
                          representatives)
    if policyholder:
        what["common"]["policyholder"] = policyholder
    for item in what["insurers"]:
        item["payee"] = {"account": {"bank": "000", "number": "99887766", "name": person["name"]}}
    answer = g.call("POST", "/v1/applications", g.application(what, signer), PLAIN, g.token("app"))
    checks.equal(answer.status, 201, f"filed: {answer}")
    return answer.json()


def seen(g, name, claim):
    return g.call("GET", f"/v1/claims/{claim}", token=g.token(name)).json()


def events(g, name):
    return [e["type"] for e in g.call("GET", "/v1/events?limit=200", token=g.token(name)).json()["data"]]


def tasks(g, name):
    return [t["subject"]["reason"] for t in g.call("GET", "/v1/tasks", token=g.token(name)).json()["data"] if t["item"] == "account_change"]


def change(app, token, claim, body=None):
    return app.call("POST", f"/v1/claims/{claim}/account", token, body or account("11223344"))


def record(app, token, case, lang="zh-TW"):
    return app.call("GET", f"/v1/permissions?case={case}", token, headers={"Accept-Language": lang}).json()


def check_change(g):
    filed = file(g, WANG, "person-wang", insurers=(L1, L2), policyholder=LEE)
    claim, other = (c["claim"] for c in filed["claims"])
    before, untouched = seen(g, "l1", claim)["payee"], seen(g, "l2", other)["payee"]
    app, token = token_of(g, "person-wang", "A190130001")
    lee, hers = token_of(g, "person-lee", "B290110002")
    checks.equal(change(lee, hers, claim).code(), "account-not-payee", "the policyholder is not who is paid")
    nguyen, strange = token_of(g, "person-nguyen", "A890110003")
    checks.equal(change(nguyen, strange, claim).code(), "not-found", "a stranger learns of no claim")
    checks.equal(g.call("POST", f"/v1/claims/{claim}/account", compact(account("1")), PLAIN, g.token("app")).code(), "login-required", "an app by itself changes nothing")
    checks.equal(change(app, token, claim, {"payee": {"jwe": "not.a.jwe"}}).code(), "payee-invalid", "a broken JWE")
    checks.equal(change(app, token, claim, {"payee": {}}).code(), "schema-invalid", "no account")
    checks.equal((seen(g, "l1", claim)["payee"], "claim.account_changing" in events(g, "l1")), (before, False), "refusals change and tell nothing")
    asked = change(app, token, claim)
    checks.equal((asked.status, asked.json().get("state")), (202, "waiting"), f"the payee, freshly logged in: {asked}")
    now = seen(g, "l1", claim)
    checks.equal((now["payee"], now["payee_change"]["state"], now["payee_change"]["due"]), (before, "waiting", asked.json()["due"]), "the insurer knows that it waits, and not what it is")
    checks.that("claim.account_changing" in events(g, "l1") and "claim.account_changing" not in events(g, "l2"), "told by an event, and nobody else")
    checks.equal((tasks(g, "app"), tasks(g, "l1")), (["asked"], []), "the app that filed has a Task")
    alerts = [a for a in app.call("GET", "/v1/person", token).json()["alerts"] if a["about"] == "account"]
    checks.equal([a["case"] for a in alerts], [filed["case"]], "and the person an alert, by whatever app")
    checks.equal([(c["state"], c["label"]) for c in record(app, token, filed["case"])["account_changes"]], [("waiting", "等待送交保險公司")], "the record in Chinese")
    checks.equal([c["label"] for c in record(app, token, filed["case"], "en")["account_changes"]], ["Waits before the insurer gets it"], "and in English")
    g.pass_time(71 * HOUR)
    checks.equal(seen(g, "l1", claim)["payee"], before, "an hour before its time")
    g.pass_time(2 * HOUR)
    wait_until(lambda: "claim.account_changed" in events(g, "l1") or None)
    after = seen(g, "l1", claim)
    checks.that(after["payee"] != before and after["payee"].count(".") == 4 and "payee_change" not in after, "then the insurer has it, sealed to its key")
    checks.equal([item for item in after["application"]["items"]], now["application"]["items"], "and all else as it was signed")
    checks.equal((seen(g, "l2", other)["payee"], "claim.account_changed" in events(g, "l2")), (untouched, False), "the other insurer's account stays")
    app, token = token_of(g, "person-wang", "A190130001")
    checks.equal([c["state"] for c in record(app, token, filed["case"])["account_changes"]], ["given"], "the record says so")
    return filed


def check_not_me(g):
    filed = file(g, WANG, "person-wang")
    claim = filed["claims"][0]["claim"]
    before = seen(g, "l1", claim)["payee"]
    thief, stolen = token_of(g, "person-wang", "A190130001")
    first, second = change(thief, stolen, claim, account("1")), change(thief, stolen, claim, account("2"))
    checks.equal((first.status, second.status), (202, 202), "a further change takes the waiting one's place")
    app, token = token_of(g, "person-wang", "A190130001")
    checks.equal([c["state"] for c in record(app, token, filed["case"])["account_changes"]], ["replaced", "waiting"], "one waits")
    alerts = [a for a in app.call("GET", "/v1/person", token).json()["alerts"] if a["about"] == "account" and a["case"] == filed["case"]]
    for alert in alerts:
        said = app.call("POST", f"/v1/alerts/{alert['id']}/answer", token, {"answer": "not_me"})
        checks.equal((said.status, said.json()["ended"]), (200, []), f"not me: no permission ends ({said})")
    checks.equal([c["state"] for c in record(app, token, filed["case"])["account_changes"]], ["replaced", "stopped"], "and the change is stopped")
    checks.that("claim.account_kept" in events(g, "l1") and "payee_change" not in seen(g, "l1", claim), "the insurer is told that nothing changes")
    g.pass_time(80 * HOUR)
    filed_2 = file(g, WANG, "person-wang")
    app, token = token_of(g, "person-wang", "A190130001")
    checks.equal(change(app, token, filed_2["claims"][0]["claim"]).status, 202, "another claim's change")
    g.pass_time(73 * HOUR)
    wait_until(lambda: "payee_change" not in seen(g, "l1", filed_2["claims"][0]["claim"]) or None)
    checks.equal(seen(g, "l1", claim)["payee"], before, "what was stopped never came")
    app, token = token_of(g, "person-wang", "A190130001")
    alert = next(a for a in app.call("GET", "/v1/person", token).json()["alerts"] if a["about"] == "account" and a["case"] == filed_2["case"])
    app.call("POST", f"/v1/alerts/{alert['id']}/answer", token, {"answer": "not_me"})
    checks.equal((tasks(g, "l1"), "claim.account_disputed" in events(g, "l1")), (["disputed"], True), "one that was given is disputed at the insurer")


def tell(g, claim, state, **more):
    version = seen(g, "l1", claim)["claim"]["version"]
    return g.call("POST", f"/v1/claims/{claim}/status", compact({"state": state, **more}), {**PLAIN, "If-Match": f'"{version}"', "Idempotency-Key": secrets.token_hex(8)}, g.token("l1"))


def check_over(g):
    filed = file(g, WANG, "person-wang")
    claim = filed["claims"][0]["claim"]
    app, token = token_of(g, "person-wang", "A190130001")
    checks.equal(tell(g, claim, "not_our_insured").status, 200, "the insurer gives the claim back")
    checks.equal(change(app, token, claim).code(), "account-claim-over", "a claim that is over keeps its account")
    late = file(g, WANG, "person-wang")["claims"][0]["claim"]
    before = seen(g, "l1", late)["payee"]
    checks.equal(change(app, token, late).status, 202, "asked in time")
    checks.equal(tell(g, late, "not_our_insured").status, 200, "but over before it counts")
    g.pass_time(73 * HOUR)
    app, token = token_of(g, "person-wang", "A190130001")
    wait_until(lambda: "account.late" in [t["event"] for t in g.call("GET", f"/v1/claims/{late}/timeline", token=g.token("l1")).json()["data"]] or None)
    checks.equal(seen(g, "l1", late)["payee"], before, "it is not given")


def check_representatives(g):
    checks.equal(prove(g, "attorney", WANG, [LEE], "person-wang").status, 201, "a mandate without the account")
    claim = file(g, WANG, "person-lee", [LEE])["claims"][0]["claim"]
    lee, token = token_of(g, "person-lee", "B290110002")
    checks.equal(change(lee, token, claim).code(), "representation-act", "does not reach it")
    checks.equal(prove(g, "attorney", WANG, [LEE], "person-wang", acts=["apply", "account"], no="2").status, 201, "one that names it")
    checks.equal(change(lee, token, claim).status, 202, "does")
    checks.equal(prove(g, "guardian", WANG, [MOTHER], issued="2026-01-10").status, 201, "the payee is put under guardianship")
    app, own = token_of(g, "person-wang", "A190130001")
    checks.equal(change(app, own, claim).code(), "person-under-guardianship", "and no longer changes it himself")
    checks.equal(change(lee, token, claim).code(), "representation-act", "nor does his attorney")
    nguyen, hers = token_of(g, "person-nguyen", "A890110003")
    checks.equal(change(nguyen, hers, claim).status, 202, "the guardian does")
    checks.equal(prove(g, "guardian", WANG, [], issued="2026-01-11").status, 201, "lifted")


def check_step_up(g):
    claim = file(g, WANG, "person-wang")["claims"][0]["claim"]
    app = App(g)
    _, (_, parameters) = login(g, app)
    tokens = app.code(parameters["code"]).json()
    g.pass_time(310)
    old = app.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()["access_token"]
    answer = change(app, old, claim)
    checks.equal((answer.status, answer.code()), (401, "step-up-required"), f"a login of more than five minutes ago: {answer}")
    checks.that("payee_change" not in seen(g, "l1", claim), "nothing was begun")


def main():
    with Gateway() as g:
        check_change(g)
        check_not_me(g)
        check_over(g)
        check_representatives(g)
        check_step_up(g)
        checks.equal(g.stop(), 0, "the gateway ends cleanly")
        checks.that(not any(number in g.log_text() for number in ("11223344", "99887766")), "no account in the log")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
