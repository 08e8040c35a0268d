"""MyData through a running gateway, with a platform scripted here from its published interface: redirect, notice, one fetch, and packages that are right or wrong in one thing.

The ticket is used before the call is made; a second notice is refused, and the platform sees one fetch."""
import base64
import hashlib
import http.server
import io
import pathlib
import sys
import threading
import urllib.parse
import zipfile

from jose import aes_cbc, jwe_wrapped
from support import Checks, Gateway, certificate_der, claimgate, compact, openssl, wait_until

checks = Checks()
CLIENT, SECRET, IV, KEK = "CLI.sandbox", b"0123456789abcdef", b"fedcba9876543210", b"K" * 32
RECORD = compact({"case_no": "11506AC1230001", "police_dept": "沙箱市政府警察局"})


class Platform:
    """/service/data: a package per ticket, given once."""

    def __init__(self):
        self.packages, self.fetched = {}, []
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_GET(self):
                ticket = self.headers.get("permission_ticket")
                platform.fetched.append((ticket, self.headers.get("tx_id"), self.path))
                status, body, headers = platform.packages.get(ticket, [(403, b"", {})])[0]
                if len(platform.packages.get(ticket, [])) > 1:
                    platform.packages[ticket].pop(0)
                elif ticket in platform.packages:
                    platform.packages[ticket] = [(201, b"", {})]
                self.send_response(status)
                self.send_header("Content-Type", "application/jwe; charset=UTF-8")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()


def manifest(rows):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<files>' + "".join("<file>" + "".join(f"<{n}>{v}</{n}>" for n, v in row.items()) + "</file>" for row in rows) + "</files>").encode()


def inner(g, signer="d1", record=RECORD, told=None, more=()):
    listed = manifest([{"filename": "accident.json", "digest": hashlib.sha256(told or record).hexdigest()}])
    signature = openssl("dgst", "-sha256", "-sign", g.pki / f"{signer}.key", data=listed)
    return zipped([("accident.json", record), ("META-INFO/manifest.xml", listed), ("META-INFO/certificate.cer", certificate_der(g.pki / f"{signer}.crt")),
                   ("META-INFO/manifest.sha256withrsa", signature), *more])


def package(g, kek=KEK, code="200", **changed):
    files = [("META-INFO/manifest.xml", manifest([{"filename": "API.police.zip", "resource_id": "API.police", "resource_name": "交通事故資料", "code": code}]))]
    if code == "200":
        files.append(("API.police.zip", inner(g, **changed)))
    data = base64.b64encode(zipped(files)).decode()
    return jwe_wrapped(kek, compact({"filename": f"{CLIENT}.zip", "data": f"application/zip;data:{data}"})).encode()


# -- the app's side --

class App:
    def __init__(self, g, platform):
        self.g, self.platform = g, platform

    def post(self, path, body, token=None):
        return self.g.call("POST", path, compact(body), {"Content-Type": "application/json"}, token)

    def begin(self):
        answer = self.post("/v1/mydata-requests", {"resources": ["API.police"], "return_url": "https://app.example.tw/back"}, self.g.token("app"))
        checks.equal((answer.status, answer.json()["state"]), (201, "waiting"), f"a request begins: {answer}")
        return answer.json()

    def notice(self, one, ticket, secret=SECRET):
        tx = urllib.parse.urlparse(one["link"]).path.rsplit("/", 1)[1]
        key = base64.b64encode(aes_cbc(secret + secret, IV, KEK)).decode()
        return self.post("/mydata/notice", {"tx_id": tx, "permission_ticket": ticket, "secret_key": key, "unable_to_deliver": []})

    def read(self, one):
        return self.g.call("GET", f"/v1/mydata-requests/{one['id']}", token=self.g.token("app")).json()

    def until(self, one, *states):
        return wait_until(lambda: (lambda s: s if s["state"] in states else None)(self.read(one))) or self.read(one)

    def whole(self, ticket, *answers):
        self.platform.packages[ticket] = list(answers)
        one = self.begin()
        checks.equal(self.notice(one, ticket).status, 200, f"the notice of {ticket}")
        return one, self.until(one, "done", "refused")

    def fetches(self, ticket):
        return sum(1 for t, _, _ in self.platform.fetched if t == ticket)


def check_right(g, app):
    one, shown = app.whole("right", (200, package(g), {}))
    link = urllib.parse.urlparse(one["link"])
    checks.that(one["link"].startswith(f"{app.platform.url}/service/{CLIENT}/") and "pid=" not in one["link"], "the person is sent to the platform, without a number")
    parts = shown.get("parts", [{}])
    checks.equal((shown["state"], parts[0].get("signer"), parts[0].get("code")), ("done", "A99310000D", 200), "a package that holds")
    checks.equal([(f["name"], f["sha256"], f["bytes"]) for f in parts[0].get("files", [])], [("accident.json", hashlib.sha256(RECORD).hexdigest(), len(RECORD))], "its files")
    checks.equal(g.counts()["attachments"], 1, "kept, sealed, for the app's next document")
    again = app.notice(one, "right")
    checks.equal((again.status, again.code()), (409, "mydata-taken"), "a second notice")
    checks.equal((app.fetches("right"), link.query.split("=")[0]), (1, "returnUrl"), "one consent, one fetch")
    stored = b"".join(p.read_bytes() for p in pathlib.Path(g.dir, "store").rglob("*") if p.is_file())
    checks.that(b"11506AC1230001" not in stored and KEK not in stored, "neither the record nor its key lies open in the store")


def check_wrong(g, app):
    rows = [
        ("altered", (200, package(g, told=b"other"), {}), "digest-mismatch"),
        ("another agency", (200, package(g, signer="d2"), {}), "signer-wrong-organisation"),
        ("a hospital", (200, package(g, signer="h1"), {}), "signer-wrong-kind"),
        ("nobody's authority", (200, package(g, signer="rogue-h1"), {}), "chain-untrusted"),
        ("path out of the archive", (200, package(g, more=[("../../x", b"x")]), {}), "package-name"),
        ("another key", (200, package(g, kek=b"L" * 32), {}), "signature-mismatch"),
        ("taken by somebody", (201, b"", {}), "mydata-taken"),
        ("refused", (403, b"", {}), "mydata-refused"),
    ]
    for i, (name, answer, code) in enumerate(rows):
        ticket = f"wrong-{i}"
        one, shown = app.whole(ticket, answer)
        checks.equal((shown["state"], shown.get("code"), shown.get("parts")), ("refused", code, None), name)
        checks.equal(app.fetches(ticket), 1, f"{name}: one fetch")
    checks.equal(g.counts()["attachments"], 1, "nothing is kept of a refused package")


def check_edges(g, app):
    one, shown = app.whole("later", (429, b"", {"Retry-After": "1"}), (200, package(g), {}))
    checks.equal((shown["state"], app.fetches("later")), ("done", 2), "not ready is asked again after its time")
    one, shown = app.whole("nothing", (200, package(g, code="204"), {}))
    checks.equal((shown["state"], shown["parts"][0]["code"], shown["parts"][0]["files"]), ("done", 204, []), "a data set that the platform does not have")
    one = app.begin()
    checks.equal(app.notice(one, "t", secret=b"fedcba9876543210").code(), "signature-mismatch", "a notice by somebody else")
    checks.equal(app.read(one)["state"], "waiting", "which moves nothing")
    for body, code in (({"resources": ["API.other"], "return_url": "https://a.example"}, "not-set-up"), ({"resources": [], "return_url": "https://a.example"}, "schema-invalid"),
                       ({"resources": ["API.police"], "return_url": "http://a.example"}, "schema-invalid")):
        checks.equal(app.post("/v1/mydata-requests", body, g.token("app")).code(), code, f"refused: {body}")
    answer = app.post("/v1/presentations", {"profile": "oid4vp-1.0", "type": "x", "claims": ["name"]}, g.token("app"))
    checks.equal((answer.status, answer.code()), (422, "not-set-up"), "a wallet that the operator has not set up")


def set_up(g, platform):
    """In a folder that is initialised and not yet served."""
    (g.dir / "mydata.json").write_bytes(compact({"platform": platform.url, "client_id": CLIENT, "client_secret": SECRET.decode(), "cbc_iv": IV.decode(),
                                                 "resources": [{"id": "API.police", "organisation": "A99310000D"}]}))
    g.settings.append(f"mydata.file={g.dir}/mydata.json")


def main():
    platform, g = Platform(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    set_up(g, platform)
    with g:
        app = App(g, platform)
        check_right(g, app)
        check_wrong(g, app)
        check_edges(g, app)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
