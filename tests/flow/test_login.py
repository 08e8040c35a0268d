"""A person logs in at the gateway for a partner's app: pushed request, page, signature or wallet, code, tokens bound to a key, step-up, the person's own list; and the
attacks that this is made against.  The browser is scripted: it keeps cookies, fills forms and follows no address that it was not given."""
import base64
import hashlib
import html
import json
import re
import secrets
import sys
import tempfile
import threading
import time
import urllib.parse

import test_wallet
from jose import ec_key, public_jwk
from p256 import Key
from support import FORM, WANG, Checks, Gateway, application_of, b64url, claimgate, compact, wait_until

checks = Checks()
PLAIN = {"Content-Type": "application/json"}
CALLBACK = "https://app.example.tw/callback"
SCOPE = "cases:read documents:read applications:write permissions:write"
L1 = "99000116"


class Browser:
    def __init__(self, g):
        self.g, self.cookie = g, None

    def call(self, method, path, form=None):
        headers = {"Accept-Language": "zh-TW"}
        if self.cookie:
            headers["Cookie"] = f"theme=x; {self.cookie}"
        if form is not None:
            headers["Content-Type"] = FORM
        answer = self.g.call(method, path, urllib.parse.urlencode(form).encode() if form is not None else None, headers)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    def open(self, app, request_uri, client=None):
        query = urllib.parse.urlencode({"client_id": client or app.id, "request_uri": request_uri})
        return self.call("GET", f"/oauth2/authorize?{query}")

    def page(self):
        return self.call("GET", "/login")


class App:
    """A partner's app with a key for DPoP."""

    def __init__(self, g, name="app"):
        self.g, self.name, self.id = g, name, g.partners[name]["id"]
        path = ec_key(g.dir / f"dpop-{secrets.token_hex(4)}.key")
        self.key, self.jwk, self.nonce = Key(path), public_jwk(path), None
        self.verifier = b64url(secrets.token_bytes(32))

    @property
    def thumbprint(self):
        return b64url(hashlib.sha256(json.dumps({k: self.jwk[k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True).encode()).digest())

    def challenge(self):
        return b64url(hashlib.sha256(self.verifier.encode()).digest())

    def form(self, **members):
        return urllib.parse.urlencode({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": self.g.assertion(self.name), **members}).encode()

    def push(self, **changed):
        members = {"response_type": "code", "client_id": self.id, "redirect_uri": CALLBACK, "scope": SCOPE, "state": "s-1 &x", "code_challenge": self.challenge(),
                   "code_challenge_method": "S256", **changed}
        return self.g.call("POST", "/oauth2/par", self.form(**{k: v for k, v in members.items() if v is not None}), {"Content-Type": FORM})

    def proof(self, method, path, token=None, header=None, **changed):
        claims = {"htm": method, "htu": self.g.base_url + path, "jti": secrets.token_hex(8), "iat": int(time.time()) + getattr(self.g, "shift", 0), **({"nonce": self.nonce} if self.nonce else {}),
                  **({"ath": b64url(hashlib.sha256(token.encode()).digest())} if token else {}), **changed}
        return self.key.jws({"typ": "dpop+jwt", "jwk": self.jwk, **(header or {})}, compact({k: v for k, v in claims.items() if v is not None}))

    def noted(self, answer):
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)
        return answer

    def token(self, proof=None, **members):
        """With the nonce that the gateway gives, asked for once more when it wants one."""
        for _ in range(2):
            answer = self.noted(self.g.call("POST", "/oauth2/token", self.form(**members), {"Content-Type": FORM, "DPoP": proof or self.proof("POST", "/oauth2/token")}))
            if proof or answer.status != 400 or answer.json().get("error") != "use_dpop_nonce":
                return answer
        return answer

    def code(self, code, **changed):
        return self.token(grant_type="authorization_code", code=code, redirect_uri=changed.pop("redirect_uri", CALLBACK), code_verifier=changed.pop("code_verifier", self.verifier), **changed)

    def call(self, method, path, token, body=None, proof=None, headers=None):
        sent = {"Authorization": f"DPoP {token}", "DPoP": proof or self.proof(method, path.split("?")[0], token), **(PLAIN if body is not None else {}), **(headers or {})}
        return self.noted(self.g.call(method, path, compact(body) if isinstance(body, dict) else body, sent))


def challenge_of(page):
    return html.unescape(re.search(r'<pre id="challenge">(.*?)</pre>', page.body.decode(), re.S).group(1))


def wallet_link(page):
    return html.unescape(re.search(r'class="go" href="([^"]*)"', page.body.decode()).group(1))


def sign(g, text, person="person-wang"):
    with tempfile.NamedTemporaryFile(dir=g.dir) as file:
        file.write(text.encode())
        file.flush()
        return claimgate("login", "sign", file.name, "--key", g.pki / f"{person}.key", "--certificate", g.pki / f"{person}.crt").stdout.decode().strip()


def redirect(answer):
    url = urllib.parse.urlparse(answer.headers.get("location", ""))
    return f"{url.scheme}://{url.netloc}{url.path}", dict(urllib.parse.parse_qsl(url.query))


def login(g, app, person="person-wang", number="A190130001", browser=None, **pushed):
    """The whole way by certificate: (code, parameters of the redirect)."""
    browser = browser or Browser(g)
    uri = app.push(**pushed).json()["request_uri"]
    browser.open(app, uri)
    page = browser.page()
    answer = browser.call("POST", "/login", {"action": "certificate", "number": number, "signature": sign(g, challenge_of(page), person)})
    return answer, redirect(answer)


# -- the right way --

def check_whole(g):
    app, browser = App(g), Browser(g)
    meta = g.call("GET", "/.well-known/oauth-authorization-server").json()
    checks.equal((meta["require_pushed_authorization_requests"], meta["code_challenge_methods_supported"], meta["authorization_response_iss_parameter_supported"], meta["issuer"]),
                 (True, ["S256"], True, g.base_url), "the metadata say it")
    pushed = app.push()
    checks.equal((pushed.status, pushed.json()["expires_in"]), (201, 60), f"a pushed request: {pushed}")
    opened = browser.open(app, pushed.json()["request_uri"])
    checks.equal((opened.status, opened.headers["location"]), (303, "/login"), "the browser goes to the page")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "__Host-"):
        checks.that(word in opened.headers["set-cookie"], f"the cookie is {word}")
    page = browser.page()
    text = page.body.decode()
    policy = page.headers["content-security-policy"]
    checks.that("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy and "<script" not in text, f"no script, no frame: {policy}")
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    checks.that(base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy, "the page's own style sheet and no other")
    checks.that("form-action 'self' https://app.example.tw;" in policy, "forms lead here, and by redirection to the app")
    checks.that("沙箱理賠應用程式" in text and "see where your claims stand" in text and 'lang="zh-Hant-TW"' in text, "who asks for what, in both languages")
    checks.equal(page.headers["cache-control"], "no-store", "the page is not kept")
    checks.that(all(f'for="{name}"' in text for name in ("number", "signature")), "each field has its label")
    again = browser.page()
    checks.equal(challenge_of(again), challenge_of(page), "reading the page again changes nothing")
    wrong = browser.call("POST", "/login", {"action": "certificate", "number": "B290110002", "signature": sign(g, challenge_of(page))})
    checks.that(wrong.status == 422 and 'role="alert"' in wrong.body.decode(), "another's number: the page says so and stays")
    answer = browser.call("POST", "/login", {"action": "certificate", "number": "a190130001", "signature": sign(g, challenge_of(page))})
    to, parameters = redirect(answer)
    checks.equal((answer.status, to, parameters.get("state"), parameters.get("iss")), (303, CALLBACK, "s-1 &x", g.base_url), f"back to the app, with state and iss: {answer.headers}")
    early = g.call("POST", "/oauth2/token", app.form(grant_type="authorization_code", code=parameters["code"], redirect_uri=CALLBACK, code_verifier=app.verifier),
                   {"Content-Type": FORM, "DPoP": app.proof("POST", "/oauth2/token")})
    checks.equal((early.status, early.json()["error"], "dpop-nonce" in early.headers), (400, "use_dpop_nonce", True), "a proof without our nonce")
    tokens = app.code(parameters["code"])
    checks.equal((tokens.status, tokens.json().get("token_type"), tokens.json().get("scope"), tokens.json().get("acr")),
                 (200, "DPoP", SCOPE, "urn:claimgate:acr:certificate"), f"tokens: {tokens}")
    checks.equal(tokens.headers["cache-control"], "no-store", "tokens are not kept")
    gone = browser.page()
    checks.equal((gone.status, gone.media), (400, "text/html"), "the login is over")
    return app, tokens.json()


def file_with(g, app, token, person=WANG, signer="person-wang"):
    application = application_of(person, [(L1, "health", ["daily_hospital"], ["certificate", "receipt"])], [{"author": "9901010016", "kind": "visit_no", "value": secrets.token_hex(6)}])
    return app.call("POST", "/v1/applications", token, g.application(application, signer))


def check_person(g, app, tokens):
    """The person's routes by the person's token."""
    token = tokens["access_token"]
    filed = file_with(g, app, token)
    checks.equal(filed.status, 201, f"an application of the person who logged in: {filed}")
    case, permission = filed.json()["case"], filed.json()["claims"][0]["permission"]
    lee = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B290110002"}], "name": "李沙箱", "birth_date": "1991-11-03"}
    checks.equal(file_with(g, app, token, lee, "person-lee").code(), "person-other", "another's application by this login")
    person = app.call("GET", "/v1/person", token)
    shown = person.json()
    checks.equal((person.status, shown["sub"], [c["role"] for c in shown["cases"]], [s["this"] for s in shown["sessions"]]), (200, tokens["sub"], ["subject"], [True]), f"who I am: {person}")
    track = app.call("GET", f"/v1/track?case={case}", token)
    checks.equal((track.status, track.json()["role"], track.json()["case"]), (200, "subject", case), "the case by login, without a code")
    checks.equal(app.call("GET", "/v1/track", token).status, 200, "the only case need not be named")
    checks.equal(app.call("GET", "/v1/track?case=case-01k00000000000000000000000", token).code(), "not-found", "a stranger's case")
    checks.equal(len(app.call("GET", "/v1/permissions", token).json()["data"]), 1, "the record")
    checks.equal(app.call("POST", "/v1/claims:search", token, {}).status, 403, "nothing that is a partner's")
    withdrawn = app.call("POST", f"/v1/permissions/{permission}/withdraw", token, {})
    checks.equal((withdrawn.status, withdrawn.json().get("permission")), (200, permission), f"a withdrawal by login: {withdrawn}")
    return case


def check_documents(g):
    """The original of an own medical paper, by a fresh login."""
    d = next(d for d in g.samples("1..12") if b"A190130001" in d.body and "certificate" in d.name)
    sent = g.submit(d)
    visit = next(e["resource"]["identifier"][0]["value"] for e in d.json()["entry"] if e["resource"]["resourceType"] == "Encounter")
    app = App(g)
    _, (_, parameters) = login(g, app)
    token = app.code(parameters["code"]).json()["access_token"]
    application = application_of(WANG, [(L1, "health", ["daily_hospital"], ["certificate"])], [{"author": "9901010016", "kind": "visit_no", "value": visit}])
    filed = app.call("POST", "/v1/applications", token, g.application(application))
    checks.equal(filed.status, 201, f"filed: {filed}")
    read = app.call("GET", f"/v1/track/documents/{sent.parameter('document')}", token)
    checks.equal((read.status, read.body == d.body), (200, True), "the bytes that the hospital signed")
    other = App(g)
    _, (_, parameters) = login(g, other, "person-lee", "B290110002")
    token = other.code(parameters["code"]).json()["access_token"]
    checks.equal(other.call("GET", f"/v1/track/documents/{sent.parameter('document')}", token).code(), "not-found", "not a stranger's")
    checks.equal(other.call("GET", f"/v1/track?case={filed.json()['case']}", token).code(), "not-found", "nor the case")


def check_alert(g):
    """A representative files for a person who knows nothing of it; the person logs in by whatever app, sees it, and says no."""
    person = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B290110002"}], "name": "李沙箱", "birth_date": "1991-11-03"}
    application = application_of(person, [(L1, "health", ["daily_hospital"], ["certificate"])], [{"author": "9901010016", "kind": "visit_no", "value": secrets.token_hex(6)}])
    asserted = g.application(application, "app")
    filed = g.call("POST", "/v1/applications", asserted, PLAIN, g.token("app"))
    checks.equal((filed.status, filed.json()["claims"][0]["state"]), (201, "permission_needed"), f"an app's word opens a claim that waits: {filed}")
    signed = g.call("POST", "/v1/applications", g.application({**application, "id": "urn:uuid:" + secrets.token_hex(16)}, "person-lee"), PLAIN, g.token("app"))
    checks.equal(signed.status, 201, f"with a stolen card it goes out: {signed}")
    app = App(g)
    _, (_, parameters) = login(g, app, "person-lee", "B290110002")
    token = app.code(parameters["code"]).json()["access_token"]
    alerts = app.call("GET", "/v1/person", token).json()["alerts"]
    checks.that(len([a for a in alerts if "answer" not in a]) >= 2, f"both are told of, though only one was signed: {alerts}")
    mine = next(a for a in alerts if a["case"] == signed.json()["case"] and "answer" not in a)
    stranger = App(g)
    wang = full_login(g, stranger)
    checks.equal(stranger.call("POST", f"/v1/alerts/{mine['id']}/answer", wang, {"answer": "not_me"}).code(), "not-found", "another person does not answer it")
    said = app.call("POST", f"/v1/alerts/{mine['id']}/answer", token, {"answer": "not_me"})
    checks.equal((said.status, said.json().get("ended")), (200, [signed.json()["claims"][0]["permission"]]), f"not me: the permission ends ({said})")
    checks.equal(app.call("POST", f"/v1/alerts/{mine['id']}/answer", token, {"answer": "not_me"}).json(), said.json(), "again: the same")
    checks.equal(app.call("POST", f"/v1/alerts/{mine['id']}/answer", token, {"answer": "me"}).code(), "alert-answered", "not the other way round")
    claim = signed.json()["claims"][0]["claim"]
    seen = g.call("GET", f"/v1/claims/{claim}", token=g.token("l1")).json()
    checks.equal((seen["claim"]["state"], seen["documents"]), ("withdrawn", []), "the insurer's claim is over")
    types = [e["type"] for e in g.call("GET", "/v1/events?limit=200", token=g.token("l1")).json()["data"] if e.get("claim") == claim]
    checks.that("claim.disputed" in types, f"and it is told why ({types})")


# -- tokens --

def check_tokens(g, app, tokens):
    token = tokens["access_token"]

    def read(proof=None, scheme="DPoP", value=token, by=app):
        headers = {"Authorization": f"{scheme} {value}"}
        if proof != "":
            headers["DPoP"] = proof or by.proof("GET", "/v1/person", value)
        return by.noted(g.call("GET", "/v1/person", headers=headers))
    checks.equal(read().status, 200, "a token with its proof")
    thief = App(g)
    thief.nonce = app.nonce
    stolen = read(by=thief)
    checks.equal((stolen.status, stolen.code()), (401, "dpop-proof"), "a stolen token with the thief's key")
    checks.that('error="invalid_dpop_proof"' in stolen.headers["www-authenticate"], "and the challenge says so")
    checks.equal(read(proof="").code(), "dpop-proof", "a token without proof")
    checks.equal(read(proof="", scheme="Bearer").code(), "token-binding", "a bound token as bearer")
    used = app.proof("GET", "/v1/person", token)
    checks.equal((read(used).status, read(used).code()), (200, "dpop-proof"), "a proof counts once")
    signed_by_other = thief.key.jws({"typ": "dpop+jwt", "jwk": app.jwk}, compact({"htm": "GET"}))
    bad = {"another method": app.proof("GET", "/v1/person", token, htm="POST"), "another address": app.proof("GET", "/v1/track", token), "no ath": app.proof("GET", "/v1/person"),
           "another token's ath": app.proof("GET", "/v1/person", "other"), "old": app.proof("GET", "/v1/person", token, iat=int(time.time()) - 900), "no jti": app.proof("GET", "/v1/person", token, jti=None),
           "another typ": app.proof("GET", "/v1/person", token, header={"typ": "JWT"}), "a private key in it": app.proof("GET", "/v1/person", token, header={"jwk": {**app.jwk, "d": app.jwk["x"]}}),
           "signed by another key": signed_by_other, "no JWS": "x.y.z", "alg none": b64url(compact({"alg": "none", "typ": "dpop+jwt", "jwk": app.jwk})) + "." + b64url(b"{}") + "."}
    for name, proof in bad.items():
        checks.equal(read(proof).code(), "dpop-proof", f"a proof: {name}")
    fresh = read(app.proof("GET", "/v1/person", token, nonce="AAAA"))
    checks.equal((fresh.status, fresh.code(), "dpop-nonce" in fresh.headers), (401, "dpop-nonce", True), "a made-up nonce: a right one is given")
    altered = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
    checks.equal(read(value=altered).code(), "invalid-token", "an altered token")
    checks.equal(g.call("GET", "/v1/person", token=g.token("app")).code(), "login-required", "a client's own token is no person's")


def check_refresh(g):
    app = App(g)
    _, (_, parameters) = login(g, app)
    first = app.code(parameters["code"]).json()
    second = app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    checks.equal((second.status, second.json()["sub"]), (200, first["sub"]), f"a refresh: {second}")
    thief = App(g)
    thief.nonce = app.nonce
    stolen = thief.token(grant_type="refresh_token", refresh_token=second.json()["refresh_token"])
    checks.equal((stolen.status, stolen.json()["error"]), (400, "invalid_dpop_proof"), "a refresh token is bound to the key")
    replay = app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    checks.equal((replay.status, replay.json()["error"]), (400, "invalid_grant"), "the older one again: somebody has a copy")
    ended = app.call("GET", "/v1/person", second.json()["access_token"])
    checks.equal((ended.status, ended.code()), (401, "session-ended"), "and the session is over at once")


def check_ending(g):
    """The person sees what acts for him and ends it; the app logs out."""
    one, two = App(g), App(g)
    tokens = []
    for app in (one, two):
        _, (_, parameters) = login(g, app)
        tokens.append(app.code(parameters["code"]).json())
    checks.equal(tokens[0]["sub"], tokens[1]["sub"], "the same person is the same to one app")
    shown = one.call("GET", "/v1/person", tokens[0]["access_token"]).json()
    other = next(s for s in shown["sessions"] if not s["this"] and "ended_at" not in s)
    ended = one.call("DELETE", f"/v1/sessions/{other['id']}", tokens[0]["access_token"])
    checks.equal(ended.status, 204, f"the person ends the other one: {ended}")
    states = [app.call("GET", "/v1/person", t["access_token"]).status for app, t in zip((one, two), tokens)]
    checks.equal(sorted(states), [200, 401], "which acts no longer")
    alive, token = (one, tokens[0]) if states[0] == 200 else (two, tokens[1])
    checks.equal(one.call("DELETE", "/v1/sessions/ses-01k00000000000000000000000", tokens[0]["access_token"]).status in (404, 401), True, "one of nobody")
    revoked = g.call("POST", "/oauth2/revoke", alive.form(token=token["refresh_token"]), {"Content-Type": FORM})
    checks.equal((revoked.status, alive.call("GET", "/v1/person", token["access_token"]).code()), (200, "session-ended"), "the app logs out")
    checks.equal(g.call("POST", "/oauth2/revoke", alive.form(token="made-up"), {"Content-Type": FORM}).status, 200, "unknown tokens are fine (RFC 7009)")


def check_case_scope(g, case):
    app = App(g)
    _, (_, parameters) = login(g, app, scope=f"cases:read case:{case}")
    tokens = app.code(parameters["code"]).json()
    checks.equal(tokens["scope"], f"cases:read case:{case}", "a scope for one case")
    other = file_with(g, full := App(g), full_login(g, full))
    checks.equal(app.call("GET", f"/v1/track?case={other.json()['case']}", tokens["access_token"]).code(), "not-found", "no other case of the same person")
    checks.equal(app.call("GET", "/v1/track", tokens["access_token"]).json()["case"], case, "its own")
    checks.equal(file_with(g, app, tokens["access_token"]).code(), "insufficient-scope", "and nothing that was not granted")


def full_login(g, app):
    _, (_, parameters) = login(g, app)
    return app.code(parameters["code"]).json()["access_token"]


# -- attacks on the way --

def check_requests(g):
    app = App(g)
    bad = {"PKCE left out": {"code_challenge": None, "code_challenge_method": None}, "PKCE plain": {"code_challenge_method": "plain", "code_challenge": app.verifier},
           "PKCE by default": {"code_challenge_method": None}, "a token as answer": {"response_type": "token"}, "another redirect": {"redirect_uri": "https://evil.example/callback"},
           "a longer redirect": {"redirect_uri": CALLBACK + "/more"}, "a redirect with a query": {"redirect_uri": CALLBACK + "?to=https://evil.example"}, "no redirect": {"redirect_uri": None},
           "a redirect with another case": {"redirect_uri": CALLBACK.replace("app.", "APP.")}, "another client": {"client_id": g.partners["l1"]["id"]}, "a request object": {"request": "a.b.c"}}
    for name, changed in bad.items():
        answer = app.push(**changed)
        checks.equal((answer.status, answer.json().get("error"), answer.code()), (400, "invalid_request", "oauth-request"), f"pushed: {name}")
    for name, scope in {"a partner's scope": "claims:read", "nothing": None, "a case alone": "case:case-01k00000000000000000000000", "case of no form": "cases:read case:x"}.items():
        answer = app.push(scope=scope)
        checks.equal((answer.status, answer.json().get("error")), (400, "invalid_scope"), f"pushed: {name}")
    double = app.form(response_type="code", redirect_uri=CALLBACK, scope="cases:read", code_challenge=app.challenge(), code_challenge_method="S256") + b"&redirect_uri=https%3A%2F%2Fevil.example"
    checks.equal(g.call("POST", "/oauth2/par", double, {"Content-Type": FORM}).code(), "oauth-request", "a parameter that stands twice")
    no_client = urllib.parse.urlencode({"response_type": "code", "client_id": app.id}).encode()
    checks.equal(g.call("POST", "/oauth2/par", no_client, {"Content-Type": FORM}).json()["error"], "invalid_client", "who does not say who he is")
    insurer = App(g, "l1")
    checks.equal(insurer.push().code() in ("oauth-request", "invalid-scope"), True, "a partner without registered addresses")
    # the browser's side
    uri = app.push().json()["request_uri"]
    mixed = Browser(g).open(app, uri, client=g.partners["l1"]["id"])
    checks.equal((mixed.status, mixed.media, "location" in mixed.headers), (400, "text/html", False), "a request that another client pushed: a page, no redirect")
    checks.equal(Browser(g).open(app, uri).status, 303, "the right client")
    checks.equal(Browser(g).open(app, uri).status, 400, "a request_uri is opened once")
    loose = Browser(g).call("GET", f"/oauth2/authorize?client_id={app.id}&redirect_uri=https%3A%2F%2Fevil.example&response_type=code")
    checks.equal((loose.status, "location" in loose.headers), (400, False), "nothing without a pushed request, and nowhere else")
    checks.equal(Browser(g).page().status, 400, "the page without its cookie")


def check_codes(g):
    app = App(g)
    _, (_, parameters) = login(g, app)
    other = App(g, "app")
    injected = app.code(parameters["code"], code_verifier=b64url(secrets.token_bytes(32)))
    checks.equal((injected.status, injected.json()["error"]), (400, "invalid_grant"), "a code with another verifier")
    checks.equal(app.code(parameters["code"]).json()["error"], "invalid_grant", "which burns it")
    _, (_, parameters) = login(g, app)
    checks.equal(app.code(parameters["code"], redirect_uri="http://127.0.0.1/callback").json()["error"], "invalid_grant", "a code with another redirect_uri")
    _, (_, parameters) = login(g, app)
    insurer = App(g, "l1")
    insurer.verifier = app.verifier
    checks.equal(insurer.code(parameters["code"]).json()["error"], "invalid_grant", "a code that another client took (mix-up)")
    tokens = app.code(parameters["code"])
    checks.equal(tokens.status, 200, "the right one still has it")
    replay = app.code(parameters["code"])
    checks.equal((replay.status, replay.json()["error"]), (400, "invalid_grant"), "a code twice")
    checks.equal(app.call("GET", "/v1/person", tokens.json()["access_token"]).code(), "session-ended", "ends what it gave")
    checks.equal(app.token(grant_type="refresh_token", refresh_token=tokens.json()["refresh_token"]).json()["error"], "invalid_grant", "its refresh token too")
    _, (_, parameters) = login(g, app, dpop_jkt=app.thumbprint)
    other.verifier = app.verifier
    checks.equal(other.code(parameters["code"]).json()["error"], "invalid_dpop_proof", "a stolen code and verifier with another key than the request named")
    checks.equal(app.code("made-up").json()["error"], "invalid_grant", "a made-up code")
    raced, answers = login(g, app)[1][1]["code"], []
    app.code("warm-up")
    threads = [threading.Thread(target=lambda: answers.append(app.code(raced).status)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    checks.that(answers.count(200) <= 1 and set(answers) <= {200, 400}, f"one code, eight times at one moment: at most one token ({answers})")


def check_evidence(g):
    app, browser = App(g), Browser(g)
    browser.open(app, app.push().json()["request_uri"])
    text = challenge_of(browser.page())
    other_text = challenge_of((lambda b: (b.open(app, app.push().json()["request_uri"]), b.page())[1])(Browser(g)))

    def send(signature, number="A190130001", action="certificate"):
        return browser.call("POST", "/login", {"action": action, "number": number, "signature": signature})
    rows = {"another page's text": (sign(g, other_text), "A190130001"), "another person's certificate": (sign(g, text, "person-lee"), "A190130001"), "a company's": (sign(g, text, "l1"), "A190130001"),
            "a hospital's": (sign(g, text, "h1-dr-lin"), "A190130001"), "an unlisted CA's": (sign(g, text, "rogue-h1"), "A190130001"), "nothing": ("", "A190130001"), "no number": (sign(g, text), ""),
            "cut": (sign(g, text)[:-8], "A190130001")}
    for name, (signature, number) in rows.items():
        answer = send(signature, number)
        checks.that(400 <= answer.status < 500 and answer.media == "text/html" and "location" not in answer.headers, f"evidence: {name} ({answer.status})")
    checks.equal(send("", action="fido").status, 422, "FidO is refused by name until it is set up")
    checks.equal(send("", action="teleport").status, 422, "an unknown way")
    # with the last four characters alone somebody else's number could be claimed: the first one shown with a card stays
    answer = send(sign(g, text))
    checks.equal(answer.status, 303, "the right evidence after wrong ones")
    checks.equal(send(sign(g, text)).status, 400, "a login gives one code")
    browser = Browser(g)
    browser.open(app, app.push().json()["request_uri"])
    squat = browser.call("POST", "/login", {"action": "certificate", "number": "F120000001", "signature": sign(g, challenge_of(browser.page()))})
    checks.equal(squat.status, 422, "another number with the same last four characters, by a known card")
    denied = browser.call("POST", "/login", {"action": "cancel"})
    to, parameters = redirect(denied)
    checks.equal((denied.status, to, parameters.get("error"), parameters.get("iss")), (303, CALLBACK, "access_denied", g.base_url), "the person says no")
    weak = Browser(g)
    weak.open(app, app.push(acr_values="urn:claimgate:acr:wallet").json()["request_uri"])
    page = weak.page()
    checks.that('id="challenge"' not in page.body.decode(), "only the ways that the app asked for are shown")


def check_wallet(g, world, wallet):
    app, browser = App(g), Browser(g)
    browser.open(app, app.push().json()["request_uri"])
    checks.equal(browser.call("POST", "/login", {"action": "wallet"}).headers.get("location"), "/login", "asking the wallet")
    one = {"link": wallet_link(browser.page())}
    asked = test_wallet.request_object(g, one)
    answer = wallet.answer(one, wallet.present(asked, wallet.credential()))
    back = urllib.parse.urlparse(answer.json()["redirect_uri"])
    checks.equal((answer.status, back.path), (200, "/login/return"), "the wallet sends this device's browser back")
    stranger = Browser(g)
    stranger.open(app, app.push().json()["request_uri"])
    checks.equal(stranger.call("GET", f"{back.path}?{back.query}").status, 400, "another browser with the wallet's address")
    checks.equal(browser.call("GET", f"{back.path}?response_code=made-up").status, 400, "the right browser without the wallet's code")
    done = wait_until(lambda: (lambda a: a if a.status == 303 else None)(browser.call("GET", f"{back.path}?{back.query}")))
    to, parameters = redirect(done)
    tokens = app.code(parameters["code"])
    checks.equal((to, tokens.status, tokens.json()["acr"]), (CALLBACK, 200, "urn:claimgate:acr:wallet"), "logged in by wallet")
    by_card = App(g)
    _, (_, parameters) = login(g, by_card)
    checks.equal(by_card.code(parameters["code"]).json()["sub"], tokens.json()["sub"], "the same person as by certificate")
    unknown = g.call("GET", f"/v1/presentations/{'exc-01k00000000000000000000000'}", token=g.token("app"))
    checks.equal(unknown.status, 404, "no app reads what was shown to log in")


def check_times():
    """By the gateway's clock: what is too old, and what needs a fresh login (RFC 9470)."""
    with Gateway() as g:
        app = App(g)
        _, (_, parameters) = login(g, app)
        tokens = app.code(parameters["code"]).json()
        case = file_with(g, app, tokens["access_token"]).json()["case"]
        late_code, late_uri, browser = login(g, app)[1][1]["code"], app.push().json()["request_uri"], Browser(g)
        browser.open(app, app.push().json()["request_uri"])
        page = challenge_of(browser.page())
        early = app.nonce
        g.pass_time(70)
        checks.equal(app.code(late_code).json()["error"], "invalid_grant", "a code of more than a minute")
        checks.equal(Browser(g).open(app, late_uri).status, 400, "a request of more than a minute")
        g.pass_time(240)
        old = app.token(app.proof("POST", "/oauth2/token", nonce=early), grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        checks.equal((old.status, old.json()["error"]), (400, "use_dpop_nonce"), "a nonce of five minutes ago")
        checks.equal(app.call("GET", "/v1/person", tokens["access_token"]).code(), "token-expired", "a token of five minutes ago")
        token = app.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()["access_token"]
        checks.equal(app.call("GET", f"/v1/track?case={case}", token).status, 200, "a look needs no fresh login")
        stale = file_with(g, app, token)
        checks.equal((stale.status, stale.code()), (401, "step-up-required"), "an application does")
        checks.that('error="insufficient_user_authentication"' in stale.headers["www-authenticate"] and "max_age=300" in stale.headers["www-authenticate"], "and the challenge says what is asked")
        permission = app.call("GET", "/v1/permissions", token).json()["data"][0]["id"]
        for method, path, body in (("POST", f"/v1/permissions/{permission}/withdraw", {}), ("GET", "/v1/track/documents/doc-01k00000000000000000000000", None), ("POST", "/v1/permissions", {})):
            checks.equal(app.call(method, path, token, body).code(), "step-up-required", f"so does {path.split('/')[2]}")
        _, (_, parameters) = login(g, app)
        fresh = app.code(parameters["code"]).json()["access_token"]
        checks.equal(file_with(g, app, fresh).status, 201, "after a fresh login")
        g.pass_time(310)
        checks.equal(browser.call("POST", "/login", {"action": "certificate", "number": "A190130001", "signature": sign(g, page)}).status, 400, "a page of more than ten minutes")


def check_certificate_bound():
    """RFC 8705: tokens bound to the app's client certificate, over the gateway's own TLS: of no use with another certificate, with none, or as DPoP's."""
    with Gateway(tls=True) as g:
        app, browser = App(g), Browser(g)
        browser.open(app, app.push().json()["request_uri"])
        page = challenge_of(browser.page())

        def code():
            answer = browser.call("POST", "/login", {"action": "certificate", "number": "A190130001", "signature": sign(g, page)})
            return redirect(answer)[1]["code"]

        def ask(certificate, **members):
            client = g.client(certificate)
            try:
                return client.call("POST", "/oauth2/token", app.form(**members), {"Content-Type": FORM})
            finally:
                client.close()

        def person(certificate, token, scheme="Bearer", **headers):
            client = g.client(certificate)
            try:
                return client.call("GET", "/v1/person", None, {"Authorization": f"{scheme} {token}", **headers})
            finally:
                client.close()
        given = ask("app-tls", grant_type="authorization_code", code=code(), redirect_uri=CALLBACK, code_verifier=app.verifier)
        checks.equal((given.status, given.json().get("token_type")), (200, "Bearer"), f"a code for tokens bound to the certificate: {given}")
        token, refresh = given.json()["access_token"], given.json()["refresh_token"]
        checks.equal((person("app-tls", token).status, person("app-tls", token).json()["sub"]), (200, given.json()["sub"]), "with its certificate")
        for name, certificate in (("no certificate", None), ("another partner's certificate", "l1-tls")):
            answer = person(certificate, token)
            checks.equal((answer.status, answer.code()), (401, "token-binding"), f"with {name}")
        checks.equal(person("rogue-h1-tls", token).code(), "client-certificate", "with a certificate of a CA that is not listed")
        checks.equal(person("app", token).code(), "token-binding", "with the app's certificate for signing")
        proof = {"DPoP": app.proof("GET", "/v1/person", token)}
        checks.equal(person(None, token, "DPoP", **proof).status, 401, "not by a proof of some other key")
        wrong = ask("l1-tls", grant_type="refresh_token", refresh_token=refresh)
        checks.that(wrong.status in (400, 401), f"another certificate at the token endpoint: {wrong}")
        checks.equal(person("app-tls", token).status, 200, "which ends nothing")
        none = ask(None, grant_type="refresh_token", refresh_token=refresh)
        checks.that(none.status in (400, 401), f"no certificate there: {none}")
        again = ask("app-tls", grant_type="refresh_token", refresh_token=refresh)
        checks.that(again.status == 200 and person("app-tls", again.json()["access_token"]).status == 200, f"refreshed by the same certificate: {again}")


def main():
    world, g = test_wallet.World(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    key, issuer = test_wallet.set_up(g, world)
    with g:
        app, tokens = check_whole(g)
        case = check_person(g, app, tokens)
        check_tokens(g, app, tokens)
        check_requests(g)
        check_codes(g)
        check_evidence(g)
        check_refresh(g)
        check_ending(g)
        check_case_scope(g, case)
        check_documents(g)
        check_alert(g)
        check_wallet(g, world, test_wallet.Wallet(g, world, key, issuer))
        checks.equal(g.stop(), 0, "the gateway ends cleanly")
        log = g.log_text()
        checks.that(not any(word in log for word in ("A190130001", "王沙箱", tokens["access_token"][:24], tokens["refresh_token"][:24])), "neither a person nor a token in the log")
    check_certificate_bound()
    check_times()
    return checks.done() + test_wallet.checks.done()


if __name__ == "__main__":
    sys.exit(main())
