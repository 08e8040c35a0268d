#!/usr/bin/env python3
"""Who asks: client certificates on the gateway's own TLS, tokens bound to them, client assertions, scopes, and 404 for what belongs to others."""
import hmac
import sys
import warnings

from support import *

PLAIN = {"Content-Type": "application/json"}
check = Checks()


def refused(answer, status, code, label):
    return check.equal((answer.status, answer.code()), (status, code), f"{label} ({answer.body[:160]!r})")


# -- mTLS --

def test_tls(g):
    d = next(d for d in g.samples("1") if "certificate" in d.name)

    def submit(certificate, token=None):
        client = g.client(certificate)
        try:
            return client.call("POST", "/fhir/r4/Bundle?dry-run=true", d.body, d.headers, token)
        finally:
            client.close()
    refused(submit(None), 401, "login-required", "no certificate, no token")
    refused(submit("rogue-h1-tls"), 401, "client-certificate", "a certificate of a CA that is not listed")
    refused(submit("h1"), 401, "client-certificate", "a certificate for signing, used for the connection")
    check.equal(submit("h1-tls").status, 200, "the registered certificate alone authenticates")
    refused(submit("l1-tls"), 403, "insufficient-scope", "a certificate authenticates its own partner, with its scopes")
    with_rogue = g.client("rogue-h1-tls")
    refused(with_rogue.call("GET", "/fhir/r4/metadata"), 401, "client-certificate", "a certificate that does not verify is refused on open routes too")
    with_rogue.close()
    check.equal(g.client().call("GET", "/fhir/r4/metadata").status, 200, "open routes need no certificate")
    test_binding(g, submit)
    test_weak_tls(g)


def test_binding(g, submit):
    with_h1, without = g.client("h1-tls"), g.client()
    answer = g.ask_token("h1", client=with_h1)
    check.equal((answer.status, answer.json().get("token_type"), answer.json().get("expires_in")), (200, "Bearer", 300), "a token asked for with a certificate")
    check.equal(answer.headers.get("cache-control"), "no-store", "a token is not cached")
    bound = answer.json()["access_token"]
    check.equal(submit("h1-tls", bound).status, 200, "the bound token with its certificate")
    refused(submit(None, bound), 401, "token-binding", "the bound token without a certificate")
    refused(submit("h2-tls", bound), 401, "token-binding", "the bound token with another partner's certificate")
    refused(submit("rogue-h1-tls", bound), 401, "client-certificate", "the bound token with a rogue certificate")
    refused(g.ask_token("h1", client=g.client("h2-tls")), 401, "client-certificate", "another partner's certificate at the token endpoint")
    loose = g.ask_token("h1", client=without)
    check.equal(loose.status, 200, "the sandbox lets tokens be unbound (token_binding off)")
    check.equal(submit(None, loose.json()["access_token"]).status, 200, "an unbound token alone")
    with_h1.close()
    without.close()


def test_weak_tls(g):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is tried here
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    failed = False
    try:
        Client("127.0.0.1", g.port, context).call("GET", "/fhir/r4/metadata")
    except (ssl.SSLError, OSError):
        failed = True
    check.that(failed, "TLS 1.1 is refused")


# -- assertions --

def ask(g, assertion, scope=None, **members):
    return g.call("POST", "/oauth2/token", g.token_form(assertion, scope, **members), {"Content-Type": FORM})


def unsigned(g, header, signature=b""):
    now, me = int(time.time()), g.partners["h1"]["id"]
    claims = {"iss": me, "sub": me, "aud": f"{g.base_url}/oauth2/token", "iat": now, "exp": now + 240, "jti": secrets.token_hex(16)}
    signed = f"{b64url(compact({'typ': 'JWT', 'kid': g.kid('h1'), **header}))}.{b64url(compact(claims))}"
    return signed, f"{signed}.{b64url(signature)}"


def hs256(g):
    """The old trick: the public key's bytes as the secret of an HMAC."""
    signed, _ = unsigned(g, {"alg": "HS256"})
    secret = openssl("pkey", "-in", g.client_key("h1"), "-pubout")
    return f"{signed}.{b64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def test_assertions(g):
    now = int(time.time())
    check.equal(ask(g, g.assertion("h1")).status, 200, "a right assertion")
    bad = {
        "exp more than 300 s ahead": g.assertion("h1", claims={"exp": now + 400}),
        "exp in the past": g.assertion("h1", claims={"exp": now - 60}),
        "no exp": g.assertion("h1", claims={"exp": None}),
        "iat in the future": g.assertion("h1", claims={"iat": now + 200}),
        "nbf in the future": g.assertion("h1", claims={"nbf": now + 200}),
        "another aud": g.assertion("h1", claims={"aud": "https://elsewhere.example/oauth2/token"}),
        "iss of another partner": g.assertion("h1", claims={"iss": g.partners["h2"]["id"], "sub": g.partners["h2"]["id"]}),
        "iss and sub differ": g.assertion("h1", claims={"sub": g.partners["h2"]["id"]}),
        "no jti": g.assertion("h1", claims={"jti": None}),
        "unknown kid": g.assertion("h1", header={"kid": "nobody-has-this-key"}),
        "no kid": g.assertion("h1", header={"kid": None}),
        "another typ": g.assertion("h1", header={"typ": "at+jwt"}),
        "another's key under h1's kid": g.assertion("h1", key=g.client_key("h2")),
        "the signing certificate's key": g.assertion("h1", key=g.pki / "l1.key"),
        "alg none": unsigned(g, {"alg": "none"})[1],
        "alg none with dots": unsigned(g, {"alg": "none"})[0] + ".",
        "HS256 with the public key": hs256(g),
        "a crit header": g.assertion("h1", header={"crit": ["exp"], "exp": now}),
        "no JWS": "not.a.jws",
        "nothing": "",
    }
    for label, assertion in bad.items():
        answer = ask(g, assertion)
        refused(answer, 401, "invalid-client", f"assertion: {label}")
        check.equal(answer.json().get("error"), "invalid_client", f"assertion: {label}: RFC 6749 word")
        check.that("access_token" not in answer.json(), f"assertion: {label}: no token")


def test_replay(g):
    used = g.assertion("h1")
    check.equal(ask(g, used).status, 200, "an assertion, first time")
    refused(ask(g, used), 401, "invalid-client", "the same assertion again")
    same_jti = secrets.token_hex(16)
    check.equal(ask(g, g.assertion("h1", claims={"jti": same_jti})).status, 200, "a jti, first time")
    refused(ask(g, g.assertion("h1", claims={"jti": same_jti})), 401, "invalid-client", "the jti in another assertion of the client")
    check.equal(ask(g, g.assertion("h2", claims={"jti": same_jti})).status, 200, "the jti of another client is its own")
    g.restart()
    refused(ask(g, used), 401, "invalid-client", "the same assertion after a restart")
    refused(ask(g, g.assertion("h1", claims={"jti": same_jti})), 401, "invalid-client", "the jti after a restart")
    raced = g.assertion("h1")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(g, raced).status)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check.equal(sorted(answers), [200] + [401] * 15, "one assertion, 16 times at one moment: one token")


def test_grants(g):
    refused(ask(g, g.assertion("h1"), grant_type="password", username="h1", password="x"), 400, "unsupported-grant", "the password grant")
    refused(ask(g, g.assertion("h1"), client_assertion_type="urn:other"), 401, "invalid-client", "another assertion type")
    refused(ask(g, g.assertion("h1"), scope="system/Bundle.c claims:read"), 400, "invalid-scope", "a scope that is not registered")
    narrow = ask(g, g.assertion("h1"), scope="system/Bundle.r")
    check.equal((narrow.status, narrow.json().get("scope")), (200, "system/Bundle.r"), "fewer scopes than registered")
    d = next(d for d in g.samples("2"))
    answer = g.call("POST", "/fhir/r4/Bundle", d.body, d.headers, narrow.json()["access_token"])
    refused(answer, 403, "insufficient-scope", "a token without the scope of the operation")
    check.that('error="insufficient_scope"' in answer.headers.get("www-authenticate", ""), "the challenge names the scope")


# -- tokens --

def test_tokens(g):
    token = g.token("h1")

    def read(value, scheme="Bearer"):
        return g.call("GET", "/fhir/r4/Bundle?identifier=a%7Cb", headers={"Authorization": f"{scheme} {value}"})
    check.equal(read(token).status, 200, "a right token")
    altered = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    for label, value in {"altered": altered, "cut": token[:-8], "made up": "abc", "a JWS": g.assertion("h1"), "long": "A" * 5000}.items():
        refused(read(value), 401, "invalid-token", f"token: {label}")
    refused(read("aDE6cGFzcw==", "Basic"), 401, "login-required", "Basic authentication")
    refused(g.call("GET", "/fhir/r4/Bundle?identifier=a%7Cb"), 401, "login-required", "no credentials")
    check.that("Bearer" in g.call("GET", "/v1/events").headers.get("www-authenticate", ""), "the challenge names the scheme")
    in_query = g.call("GET", f"/fhir/r4/Bundle?identifier=a%7Cb&access_token={token}")
    refused(in_query, 401, "login-required", "a token in the query counts nothing")


def test_expiry():
    """The shortest life that can be set is half a minute; the gateway is asked until the token ends."""
    with Gateway(settings=["auth.token_seconds=30"]) as g:
        token = g.ask_token("h1").json()
        check.equal(token["expires_in"], 30, "the life that is set")
        answer = wait_until(lambda: next((a for a in [g.call("GET", "/fhir/r4/Bundle?identifier=a%7Cb", token=token["access_token"])] if a.status != 200), None),
                            seconds=40, step=0.5)
        check.that(answer and (answer.status, answer.code()) == (401, "token-expired"), f"a token ends with its life ({answer})")


# -- scopes and what is whose --

SCOPED = [
    ("POST", "/fhir/r4/Bundle", "l1"), ("GET", "/fhir/r4/Bundle?identifier=a%7Cb", "l1"), ("POST", "/v1/applications", "h1"), ("POST", "/v1/permissions", "l1"),
    ("POST", "/v1/accident-records", "h1"), ("PUT", f"/v1/attachments/{'0' * 64}", "l1"), ("POST", "/v1/claims:search", "h1"), ("GET", "/v1/events", "h1"),
    ("POST", "/v1/record-requests", "k1"), ("GET", "/v1/tasks", "r1"), ("GET", "/v1/webhook-endpoints", "app"), ("POST", "/v1/consumers/x/commit", "h1"), ("GET", "/v1/cases/case-01k00000000000000000000000", "l1"),
    ("GET", "/v1/claims/claim-01k00000000000000000000000", "app"),
]


def test_scopes(g):
    for method, path, who in SCOPED:
        body = b"{}" if method in ("POST", "PUT") else None
        answer = g.call(method, path, body, {**PLAIN, "Idempotency-Key": "a" * 20, "If-Match": '"1"'} if body else {}, g.token(who))
        refused(answer, 403, "insufficient-scope", f"{who}: {method} {path}")


def test_foreign(g):
    """What belongs to another looks the same as what does not exist."""
    documents = [d for d in g.samples("1..12") if d.author == "h1"]
    d = documents[0]
    sent = g.submit(d)
    check.that(sent.status in (200, 201), "a document of h1")
    entries = {e["resource"]["resourceType"]: e["resource"] for e in d.json()["entry"]}
    patient = entries["Patient"]
    visit = {"author": "9901010016", "kind": "visit_no", "value": entries["Encounter"]["identifier"][0]["value"]}
    person = {"identifiers": [{"system": patient["identifier"][0]["system"], "value": patient["identifier"][0]["value"]}], "name": patient["name"][0]["text"],
              "birth_date": patient["birthDate"]}
    signer = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen"}[patient["identifier"][0]["value"]]
    application = application_of(person, [("99000116", "health", ["daily_hospital"], ["certificate", "receipt"])], [visit])
    filed = g.call("POST", "/v1/applications", g.application(application, signer), PLAIN, g.token("app"))
    check.equal(filed.status, 201, f"an application for l1 ({filed})")
    claim, case = filed.json()["claims"][0]["claim"], filed.json()["case"]
    check.equal(g.call("GET", f"/v1/claims/{claim}", token=g.token("l1")).status, 200, "l1 reads its claim")
    key = {"Idempotency-Key": "b" * 20, "If-Match": '"1"'}
    foreign = [
        ("GET", f"/v1/claims/{claim}", "l2", None), ("GET", f"/v1/claims/{claim}/timeline", "l2", None), ("GET", f"/fhir/r4/Claim/{claim}", "l2", None),
        ("GET", f"/v1/claims/{claim}/documents/{sent.parameter('document')}", "l2", None), ("POST", f"/v1/claims/{claim}/status", "l2", {"state": "in_review"}),
        ("POST", f"/v1/claims/{claim}/decision", "l2", {"outcome": "approved"}), ("GET", f"/fhir/r4/Bundle/{sent.parameter('document')}", "h2", None),
        ("GET", f"/v1/receipts/{sent.parameter('submission')}", "h2", None), ("GET", f"/v1/receipts/{sent.parameter('submission')}/proof", "l1", None),
        ("GET", f"/v1/receipts/{filed.json()['submission']}", "l1", None),
    ]
    for method, path, who, body in foreign:
        answer = g.call(method, path, compact(body) if body else None, {**PLAIN, **key} if body else {}, g.token(who))
        refused(answer, 404, "not-found", f"{who}: {method} {path.split('/')[2]} of another")
        kind = re.sub(r"(claim|doc|sub)-[0-9a-z]{26}", r"\1-01k00000000000000000000000", path)
        nothing = g.call(method, kind, compact(body) if body else None, {**PLAIN, **key} if body else {}, g.token(who))
        check.equal((nothing.status, nothing.code()), (answer.status, answer.code()), f"{who}: {method} {path.split('/')[2]} of nobody looks the same")
    check.equal(g.call("GET", f"/v1/cases/{case}", token=g.token("app")).status, 200, "the app reads the case that it filed")
    other = g.submit(next(o for o in documents if o.name[:3] != d.name[:3]))
    refused(g.call("GET", f"/v1/cases/{other.parameter('case')}", token=g.token("app")), 404, "not-found", "the app reads a stranger's case")
    refused(g.call("GET", "/v1/track", headers={"X-Track-Token": "made-up"}), 401, "login-required", "a track code that is made up")
    refused(g.call("GET", "/v1/track"), 401, "login-required", "no track code")


def main():
    with Gateway(tls=True) as g:
        test_tls(g)
    with Gateway() as g:
        test_assertions(g)
        test_replay(g)
        test_grants(g)
        test_tokens(g)
        test_scopes(g)
        test_foreign(g)
        check.equal(g.stop(), 0, "the gateway ends cleanly")
        log = g.log_text()
        check.that(not any(value in log for value in PERSONAL), "no personal value in the log")
    test_expiry()
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
