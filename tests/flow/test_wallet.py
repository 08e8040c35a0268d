"""Presentations through a running gateway: the ministry's verifier module, the Taiwan wallet and an OpenID4VP wallet, scripted here from the published
interfaces. A presentation is believed once, for its own request, after the issuer's status lists; what does not hold changes nothing."""
import base64
import gzip
import hashlib
import http.server
import json
import secrets
import sys
import threading
import time
import urllib.parse
import zlib

from jose import did_key, ec_key, jwe_ecdh, key_binding, public_jwk, sd_jwt
from support import Checks, Gateway, b64url, claimgate, compact, from_b64url, jws_es256, wait_until


checks = Checks()
CARD, VCT, TYPE_TW = "00000000_driver_licence", "https://credentials.example.tw/person", "97179430_name_phone"
PERSON = {"name": "王沙箱", "id_number": "A190130001"}


# -- the world outside: module and issuer in one scripted server --

class World:
    def __init__(self):
        self.presented, self.asked, self.results, self.lists_up, self.lists_fetched = {}, [], 0, True, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        world = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def answer(self, status, value, media="application/json"):
                body = value if isinstance(value, bytes) else compact(value)
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                url = urllib.parse.urlparse(self.path)
                if url.path == "/api/oidvp/qrcode":
                    query = dict(urllib.parse.parse_qsl(url.query))
                    world.asked.append((self.headers.get("Access-Token"), query))
                    return self.answer(200, {"transactionId": query["transactionId"], "qrcodeImage": "data:image/png;base64,", "authUri": "modadigitalwallet://authorize?client_id=x"})
                world.lists_fetched += 1
                if not world.lists_up:
                    return self.answer(503, {})
                return self.answer(200, world.lists[url.path], "application/statuslist+jwt")

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                result = world.presented.pop(body["transactionId"], None)
                if result is None:
                    return self.answer(400, {"code": "4002", "message": "查無驗證結果"})
                world.results += 1
                return self.answer(200, {"transactionId": body["transactionId"], **result})
        return Handler

    def issue(self, key, did):
        """Status lists of both formats; entry 3 is revoked, entry 4 suspended."""
        now = int(time.time())
        lsb, msb_revoked, msb_suspended = bytes([1 << 6]) + b"\2" + bytes(30), bytes([1 << 4]) + bytes(31), bytes([1 << 3]) + bytes(31)
        head = {"kid": "k1"}
        token = {"sub": f"{self.origin}/lists/1", "iat": now, "exp": now + 3600, "ttl": 600, "status_list": {"bits": 2, "lst": b64url(zlib.compress(lsb))}}
        self.lists = {}
        for path in ("/lists/1", "/lists/2"):
            self.lists[path] = jws_es256(key, {**head, "typ": "statuslist+jwt"}, compact({**token, "sub": self.origin + path})).encode()
        for name, bits, purpose in (("r", msb_revoked, "revocation"), ("s", msb_suspended, "suspension")):
            vc = {"type": ["VerifiableCredential", "StatusList2021Credential"], "credentialSubject": {"statusPurpose": purpose, "encodedList": base64.b64encode(gzip.compress(bits)).decode()}}
            jwt = jws_es256(key, {**head, "typ": "JWT"}, compact({"iss": did, "jti": f"{self.origin}/lists/{name}", "nbf": now - 60, "exp": now + 3600, "vc": vc}))
            self.lists[f"/lists/{name}"] = compact({"statusList": jwt, "nonce": "x"})


# -- asking and reading --

class App:
    def __init__(self, g):
        self.g = g

    def ask(self, want=201, **body):
        answer = self.g.call("POST", "/v1/presentations", compact(body), {"Content-Type": "application/json"}, self.g.token("app"))
        checks.equal(answer.status, want, f"asking for {body.get('profile')}: {answer}")
        return answer.json()

    def read(self, one, partner="app"):
        return self.g.call("GET", f"/v1/presentations/{one['id']}", token=self.g.token(partner))

    def until(self, one, *states):
        shown = wait_until(lambda: (lambda s: s if s["state"] in states else None)(self.read(one).json()))
        return shown or self.read(one).json()


def post(g, path, form):
    return g.call("POST", path, urllib.parse.urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def handle_of(one):
    return urllib.parse.unquote(one["link"]).rsplit("/", 1)[1]


def request_object(g, one):
    answer = g.call("GET", f"/oid4vp/request/{handle_of(one)}")
    checks.equal((answer.status, answer.media), (200, "application/oauth-authz-req+jwt"), "the request object")
    return json.loads(from_b64url(answer.body.decode().split(".")[1]))


# -- twdiw-delegate --

def check_delegate(g, app, world):
    asked = {"profile": "twdiw-delegate", "type": CARD, "claims": ["name", "id_number"], "expect": {"id_number": PERSON["id_number"]}}
    one = app.ask(**asked)
    checks.equal(one["state"], "preparing", "no call is made in the request")
    shown = app.until(one, "waiting")
    checks.equal(shown.get("link"), "modadigitalwallet://authorize?client_id=x", "the module's link")
    token, query = world.asked[-1]
    checks.equal((token, query["ref"], query["isCallback"]), ("secret-token", "claim-ref", "Y"), "the module was asked as its interface says")
    # A callback that lies moves nothing: the result is asked for, and there is none.
    hint = compact({"transactionId": query["transactionId"], "verifyResult": True, "data": [{"credentialType": CARD, "claims": []}]})
    checks.equal(g.call("POST", "/oid4vp/hint", hint, {"Content-Type": "application/json"}).status, 200, "a callback")
    checks.equal(app.read(one).json()["state"], "waiting", "a callback alone is not believed")
    claims = [{"ename": n, "cname": "", "value": v} for n, v in {**PERSON, "phone": "0912"}.items()]
    world.presented[query["transactionId"]] = {"holder_did": "did:key:z1", "verifyResult": True, "resultDescription": "success", "data": [{"credentialType": CARD, "claims": claims}]}
    g.call("POST", "/oid4vp/hint", hint, {"Content-Type": "application/json"})
    shown = app.until(one, "verified", "refused")
    checks.equal((shown["state"], shown.get("claims")), ("verified", PERSON), "the module's result, without what was not asked for")
    checks.equal((shown["result"]["binds_text"], world.results), (False, 1), "identity, never a consent; the result was taken once")
    unknown = compact({"transactionId": "of-somebody"})
    checks.equal(g.call("POST", "/oid4vp/hint", unknown, {"Content-Type": "application/json"}).code(), "presentation-state", "a callback for nothing")
    for result, code in (({"verifyResult": False, "data": []}, "presentation-refused"),
                         ({"verifyResult": True, "data": [{"credentialType": CARD, "claims": [{"ename": "name", "cname": "", "value": "李"}, {"ename": "id_number", "cname": "", "value": "B290110002"}]}]}, "person-other")):
        one = app.ask(**asked)
        app.until(one, "waiting")
        world.presented[world.asked[-1][1]["transactionId"]] = result
        shown = app.until(one, "verified", "refused")
        checks.equal((shown["state"], shown.get("code"), shown.get("claims")), ("refused", code, None), f"refused: {code}")


# -- oid4vp-1.0 --

class Wallet:
    def __init__(self, g, world, issuer_key, issuer):
        self.g, self.world, self.issuer_key, self.issuer = g, world, issuer_key, issuer
        self.key = ec_key(g.dir / "holder.key")
        self.did = did_key(public_jwk(self.key))

    def credential(self, index=1, path="/lists/1", **changed):
        now = int(time.time())
        payload = {"iss": self.issuer, "vct": VCT, "iat": now - 60, "exp": now + 3600, "cnf": {"jwk": public_jwk(self.key)}, "status": {"status_list": {"idx": index, "uri": f"{self.world.origin}{path}"}}}
        return sd_jwt(self.issuer_key, {"typ": "dc+sd-jwt", "kid": "k1"}, payload, {**PERSON, **changed}, lambda p, digests: p.update(_sd=digests))

    def present(self, asked, credential, nonce=None, text=True):
        more = {}
        if text and "transaction_data" in asked:
            more = {"transaction_data_hashes": [b64url(hashlib.sha256(asked["transaction_data"][0].encode()).digest())], "transaction_data_hashes_alg": "sha-256"}
        shown = key_binding(self.key, credential, nonce or asked["nonce"], asked["client_id"], int(time.time()), more)
        plain = compact({"vp_token": {"person": [shown]}, "state": asked["state"]})
        return jwe_ecdh(self.g.dir, asked["client_metadata"]["jwks"]["keys"][0], plain)

    def answer(self, one, response):
        return post(self.g, f"/oid4vp/response/{handle_of(one)}", {"response": response})

    def whole(self, app, credential, want=200, nonce=None, text=None, sign_text=True):
        """From asking to the wallet's answer."""
        one = app.ask(profile="oid4vp-1.0", type=VCT, claims=["name", "id_number"], expect={"id_number": PERSON["id_number"]}, **({"text": text} if text else {}))
        asked = request_object(self.g, one)
        answer = self.answer(one, self.present(asked, credential, nonce, sign_text))
        checks.equal(answer.status, want, f"the wallet's answer: {answer}")
        return one, asked, answer


def check_oid4vp(g, app, world, wallet):
    one, asked, _ = wallet.whole(app, wallet.credential(), text="claim-consent/1/zh-TW")
    shown = app.until(one, "verified", "refused")
    checks.equal((shown["state"], shown.get("claims"), shown["result"]["binds_text"]), ("verified", PERSON, True), "a presentation that signs the text")
    checks.that({"status", "nonce-and-audience", "transaction-data"} - {"status"} <= set(shown["result"]["checks"]), "the checks are told")
    checks.equal((asked["response_mode"], asked["dcql_query"]["credentials"][0]["meta"]["vct_values"]), ("direct_post.jwt", [VCT]), "what is asked for")
    again = g.call("GET", f"/oid4vp/request/{handle_of(one)}")
    checks.equal((again.status, again.code()), (409, "presentation-used"), "the request object is given once")
    checks.equal(wallet.answer(one, wallet.present(asked, wallet.credential())).code(), "presentation-used", "an answer is taken once")
    checks.equal(app.read(one, "l1").status, 403, "a partner without the scope sees nothing")
    # What does not hold leaves the request open for the right answer.
    one, asked, bad = wallet.whole(app, wallet.credential(), 422, nonce="another")
    checks.equal(bad.code(), "presentation-nonce", "another nonce")
    wrong = wallet.answer(one, wallet.present(asked, wallet.credential(id_number="B290110002")))
    checks.equal(wrong.code(), "person-other", "another person")
    checks.equal(wallet.answer(one, wallet.present(asked, wallet.credential())).status, 200, "the right answer after wrong ones")
    checks.equal(app.until(one, "verified", "refused")["state"], "verified", "and it counts")
    _, _, bad = wallet.whole(app, wallet.credential(), 422, text="claim-consent/1/zh-TW", sign_text=False)
    checks.equal(bad.code(), "transaction-data", "a text that the holder did not sign")
    for index, code in ((3, "credential-revoked"), (4, "credential-suspended"), (4000, "status-index")):
        one, _, _ = wallet.whole(app, wallet.credential(index))
        shown = app.until(one, "verified", "refused")
        checks.equal((shown["state"], shown.get("code"), shown.get("claims")), ("refused", code, None), f"status {code}")
    fetched = world.lists_fetched
    one, _, _ = wallet.whole(app, wallet.credential())
    checks.equal((app.until(one, "verified", "refused")["state"], world.lists_fetched), ("verified", fetched), "a list that was fetched is kept for its time")
    world.lists_up = False
    one, _, _ = wallet.whole(app, wallet.credential(path="/lists/2"))
    shown = wait_until(lambda: (lambda s: s if s.get("code") else None)(app.read(one).json()))
    checks.equal((shown["state"], shown["code"]), ("checking", "status-unavailable"), "no list is not valid")
    world.lists_up = True
    checks.equal(app.until(one, "verified", "refused")["state"], "verified", "when the list is there again")
    for name, body in (("unknown profile", {"profile": "x"}), ("no claims", {"profile": "oid4vp-1.0", "type": VCT, "claims": []}), ("unknown member", {"profile": "oid4vp-1.0", "type": VCT, "claims": ["a"], "x": 1})):
        answer = g.call("POST", "/v1/presentations", compact(body), {"Content-Type": "application/json"}, g.token("app"))
        checks.equal((answer.status, answer.code()), (422, "schema-invalid"), name)


def check_refusal_by_person(g, app, wallet):
    one = app.ask(profile="oid4vp-1.0", type=VCT, claims=["name"])
    asked = request_object(g, one)
    plain = compact({"error": "access_denied", "state": asked["state"]})
    checks.equal(wallet.answer(one, jwe_ecdh(g.dir, asked["client_metadata"]["jwks"]["keys"][0], plain)).status, 200, "the person's no is taken")
    shown = app.read(one).json()
    checks.equal((shown["state"], shown["code"]), ("refused", "presentation-refused"), "and ends it")


# -- twdiw-native --

def native(wallet, asked, index=1, jti=None, audience=None, key=None):
    now, origin = int(time.time()), wallet.world.origin
    status = [{"type": "StatusList2021Entry", "statusListIndex": str(index), "statusListCredential": f"{origin}/lists/{name}", "statusPurpose": purpose} for name, purpose in (("r", "revocation"), ("s", "suspension"))]
    payload = {"iss": wallet.issuer, "sub": wallet.did, "nbf": now - 60, "exp": now + 3600, "cnf": {"jwk": public_jwk(wallet.key)},
               "vc": {"type": ["VerifiableCredential", TYPE_TW], "credentialStatus": status, "credentialSubject": {"_sd_alg": "sha-256"}}}
    credential = sd_jwt(wallet.issuer_key, {"typ": "vc+sd-jwt", "kid": "k1"}, payload, PERSON, lambda p, digests: p["vc"]["credentialSubject"].update(_sd=digests))
    vp = {"iss": wallet.did, "sub": wallet.did, "aud": audience or asked["client_id"], "jti": jti or secrets.token_hex(8), "nonce": asked["nonce"], "nbf": now, "exp": now + 300,
          "vp": {"type": ["VerifiablePresentation"], "verifiableCredential": [credential]}}
    submission = {"id": "s", "definition_id": asked["presentation_definition"]["id"], "descriptor_map": [{"id": "0", "format": "jwt_vp", "path": "$", "path_nested": {"format": "jwt_vc", "path": "$.vp.verifiableCredential[0]"}}]}
    return {"vp_token": jws_es256(key or wallet.key, {"typ": "JWT"}, compact(vp)), "presentation_submission": compact(submission).decode(), "state": asked["state"]}


def check_native(g, app, wallet):
    def ask(**more):
        one = app.ask(profile="twdiw-native", type=TYPE_TW, claims=["name", "id_number"], **more)
        return one, request_object(g, one), f"/oid4vp/response/{handle_of(one)}"
    one, asked, path = ask(text="claim-consent/1/zh-TW")
    checks.equal(post(g, path, native(wallet, asked, jti="jti-1")).status, 200, "a presentation of the Taiwan wallet")
    shown = app.until(one, "verified", "refused")
    checks.equal((shown["state"], shown.get("claims"), shown["result"]["binds_text"]), ("verified", PERSON, True), "a nonce made of the text binds it")
    one, asked, path = ask()
    checks.equal(post(g, path, native(wallet, asked, jti="jti-1")).code(), "presentation-used", "a jti is taken once, across requests")
    checks.equal(post(g, path, native(wallet, asked, audience="did:key:zOther")).code(), "presentation-audience", "for somebody else")
    checks.equal(post(g, path, native(wallet, asked, key=ec_key(g.dir / "other.key"))).code(), "signature-mismatch", "by somebody else")
    checks.equal(post(g, path, {**native(wallet, asked), "state": "x"}).code(), "presentation-state", "another state")
    checks.equal(post(g, path, native(wallet, asked)).status, 200, "the right one")
    shown = app.until(one, "verified", "refused")
    checks.equal((shown["state"], shown["result"]["binds_text"]), ("verified", False), "identity without a text")
    for index, code in ((3, "credential-revoked"), (4, "credential-suspended")):
        one, asked, path = ask()
        post(g, path, native(wallet, asked, index))
        shown = app.until(one, "verified", "refused")
        checks.equal((shown["state"], shown.get("code")), ("refused", code), f"both lists are read: {code}")


def set_up(g, world):
    """In a folder that is initialised and not yet served."""
    key = ec_key(g.dir / "issuer.key")
    issuer = did_key(public_jwk(key))
    world.issue(key, issuer)
    (g.dir / "wallet.json").write_bytes(compact({
        "client_id": "x509_san_dns:localhost", "certificate": "pki/server.crt", "key": "pki/server.key",
        "login": {"profile": "oid4vp-1.0", "type": VCT}, "module": {"url": world.origin, "token": "secret-token", "ref": "claim-ref"},
        "issuers": [{"id": issuer, "hosts": [world.origin], "types": [VCT, TYPE_TW], "keys": [{**public_jwk(key), "kid": "k1"}]}]}))
    g.settings.append(f"wallet.file={g.dir}/wallet.json")
    return key, issuer


def main():
    world, g = World(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    key, issuer = set_up(g, world)
    with g:
        app, wallet = App(g), Wallet(g, world, key, issuer)
        check_delegate(g, app, world)
        check_oid4vp(g, app, world, wallet)
        check_refusal_by_person(g, app, wallet)
        check_native(g, app, wallet)
        checks.that(PERSON["id_number"] not in g.log_text() and PERSON["name"] not in g.log_text(), "no person in the log")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
