"""A sandbox gateway for the tests in Python: started in a temporary folder, spoken to over HTTP, stopped at the end.

Only the standard library, the `claimgate` binary (CLAIMGATE_BINARY) and the `openssl` command are used.  Nothing here sleeps for luck: it waits for the line
that says ready, for an answer, or for a condition with a deadline.
"""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import select
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("CLAIMGATE_BINARY", str(ROOT / "build" / "claimgate"))
READY_SECONDS = 60
STOP_SECONDS = 60

if not os.path.exists(BINARY) or not shutil.which("openssl"):
    print("the claimgate binary (CLAIMGATE_BINARY) or the openssl command is missing")
    sys.exit(77)


# -- checks: a test program counts its failures and tells all of them --

class Checks:
    def __init__(self):
        self.failures = []
        self.n = 0
        self.lock = threading.Lock()

    def that(self, condition, text):
        with self.lock:
            self.n += 1
            if not condition:
                self.failures.append(text)
                print(f"FAIL {text}", flush=True)
        return bool(condition)

    def equal(self, got, want, text):
        return self.that(got == want, f"{text}: got {str(got)[:400]}, want {str(want)[:400]}")

    def done(self):
        print(f"{self.n} checks, {len(self.failures)} failed")
        return 1 if self.failures else 0


def wait_until(condition, seconds=20, step=0.02):
    """Polls until condition() is true; its value, or None after the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            return None
        time.sleep(step)


def authority_rules():
    """Rows of an operator's file that says the same as the built-in table of who may sign what."""
    table = (ROOT / "signing/signing.def").read_text(encoding="utf-8")
    words = dict(re.findall(r'^DOCUMENT_KIND\((\w+), "([^"]+)"\)', table, re.M))
    rows = re.findall(r"^MAY_SIGN\((\w+), (\w+), (\w+)\)", table, re.M)
    return [{"kind": words[kind], "use": use.lower(), "subject": subject.lower()} for kind, use, subject in rows]


# -- the binary and openssl --

def claimgate(*words, check=True):
    done = subprocess.run([BINARY, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        raise RuntimeError(f"claimgate {' '.join(map(str, words))}: {done.returncode} {done.stderr.decode()[:600]}")
    return done


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *map(str, words)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.decode()[:400]}")
    return done.stdout


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def ec_thumbprint(key_file):
    """RFC 7638 of a P-256 key."""
    point = openssl("pkey", "-in", key_file, "-pubout", "-outform", "DER")[-64:]
    text = json.dumps({"crv": "P-256", "kty": "EC", "x": b64url(point[:32]), "y": b64url(point[32:])}, separators=(",", ":"), sort_keys=True)
    return b64url(hashlib.sha256(text.encode()).digest())


def ecdsa_raw(der):
    """r and s of an ECDSA signature as JOSE wants them."""
    def take(at):
        length = der[at + 1]
        return int.from_bytes(der[at + 2:at + 2 + length], "big"), at + 2 + length
    r, at = take(2)
    s, _ = take(at)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jws_es256(key_file, header, payload):
    """Compact JWS by a P-256 key."""
    head = b64url(compact({"alg": "ES256", **header}))
    signed = f"{head}.{b64url(payload)}"
    return f"{signed}.{b64url(ecdsa_raw(openssl('dgst', '-sha256', '-sign', key_file, data=signed.encode())))}"


def certificate_der(path):
    text = pathlib.Path(path).read_text()
    return base64.b64decode(re.search("-----BEGIN CERTIFICATE-----(.*?)-----END", text, re.S).group(1))


# -- HTTP --

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {name.lower(): value for name, value in headers}, body

    def json(self):
        return json.loads(self.body)

    @property
    def media(self):
        return self.headers.get("content-type", "").split(";")[0].strip()

    def parameter(self, name):
        """A value of the Parameters resource that answers a submission."""
        for entry in self.json().get("parameter", []):
            if entry["name"] == name:
                return next((value for key, value in entry.items() if key != "name"), None)
        return None

    def code(self):
        """The stable code of a refusal, on either surface."""
        json_body = self.json()
        if json_body.get("resourceType") == "OperationOutcome":
            return json_body["issue"][0]["details"]["coding"][0]["code"]
        return json_body.get("code")

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One kept-alive connection; opened again when the gateway has closed it."""

    def __init__(self, host, port, context=None):
        self.host, self.port, self.context, self.connection = host, port, context, None

    def open(self):
        if self.context:
            return http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=60)
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def call(self, method, path, body=None, headers=None, token=None):
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = self.open()
            try:
                self.connection.request(method, path, body, sent)
                reply = self.connection.getresponse()
                return Answer(reply.status, reply.getheaders(), reply.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if fresh or attempt == 2:
                    raise
        return None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


# -- around the gateway --

class Responder:
    """`claimgate pki serve`: the sandbox's OCSP responders, revocation lists and time-stamp authority.  order(): its moods and its clock."""

    def __init__(self, pki):
        self.process = subprocess.Popen([BINARY, "pki", "serve", str(pki)], stdout=subprocess.PIPE)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def order(self, **order):
        answer = Client("127.0.0.1", self.port).call("POST", "/control", compact(order))
        if answer.status != 200:
            raise RuntimeError(f"{order}: {answer}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


# -- the gateway --

FORM = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PERSONAL = ["王沙箱", "李沙箱", "NGUYEN THI SANDBOX", "王小箱", "王陳沙箱", "A190130001", "B290110002", "A890110003", "A180140004", "B280120005"]


class Gateway:
    """`with Gateway() as g:` — a sandbox of its own.  settings: further `name=value` for serve.  tls: the gateway's own TLS with client certificates."""

    shift = 0  # seconds by which its clock is ahead of the machine's
    findings = ()  # codes of rules that its cases may break at the end

    def __init__(self, settings=(), tls=False, folder=None):
        self.keep = folder is not None
        self.dir = pathlib.Path(folder or tempfile.mkdtemp(prefix="claimgate-test-"))
        self.settings, self.tls = list(settings), tls
        self.base_url = "https://gateway.example.tw" if tls else "http://gateway.example.tw"
        self.process = self.port = self.ops_port = None
        self.local = threading.local()
        self.tokens = {}
        self.log = []
        self.thumbprints = {}

    # life

    def __enter__(self):
        try:
            if not (self.dir / "claimgate.conf").exists():
                claimgate("init", self.dir, "--sandbox", "--listen", "127.0.0.1:0")
            self.pki = self.dir / "pki"
            self.partners = json.loads((self.dir / "partners.json").read_text())
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is None and self.process and self.process.poll() is None:
            self.hold_cases_to_their_rules()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        if kind is not None and self.log:
            print("".join(self.log[-20:]))
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def words(self):
        words = [BINARY, "serve", "--config", str(self.dir / "claimgate.conf"), "--set", f"http.base_url={self.base_url}"]
        settings = list(self.settings)
        if self.tls:
            settings += [f"http.tls_cert={self.pki}/server.chain.pem", f"http.tls_key={self.pki}/server.key", f"http.tls_client_ca={self.ca_file()}"]
        for setting in settings:
            words += ["--set", setting]
        return words

    def ca_file(self):
        """Root and the CA that issues connection certificates."""
        path = self.dir / "client-ca.pem"
        path.write_text((self.pki / "root.crt").read_text() + (self.pki / "tls.crt").read_text())
        return path

    def start(self):
        self.process = subprocess.Popen(self.words(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        ready, end, pending = None, time.monotonic() + READY_SECONDS, b""
        while ready is None:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("the gateway did not say that it is ready")
            some = os.read(self.process.stdout.fileno(), 65536)
            if not some:
                raise RuntimeError(f"the gateway ended with {self.process.wait()}: {pending.decode()}")
            pending += some
            while b"\n" in pending and ready is None:
                line, pending = pending.split(b"\n", 1)
                self.log.append(line.decode() + "\n")
                if line.startswith(b'{"ready"'):
                    ready = json.loads(line)
        self.port, self.ops_port = ready["port"], ready["ops_port"]
        self.tokens.clear()
        self.local = threading.local()
        self.drainer = threading.Thread(target=self.drain, args=(self.process, pending), daemon=True)
        self.drainer.start()

    def drain(self, process, pending):
        self.log.append(pending.decode(errors="replace"))
        for line in process.stdout:
            self.log.append(line.decode(errors="replace"))

    def stop(self):
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.drainer.join(10)
        self.process = None
        self.show_reports()
        return code

    def show_reports(self):
        """What a sanitizer said: printed, so that the run fails by it, and the lines behind it."""
        lines = self.log_text().splitlines()
        for i, line in enumerate(lines):
            if "runtime error:" in line or "Sanitizer" in line:
                print("\n".join(lines[i:i + 30]), flush=True)
                return

    def restart(self):
        self.stop()
        self.start()

    def log_text(self):
        return "".join(self.log)

    def control(self, verb, text=""):
        """By the socket on which its operator speaks to it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.dir / "store" / "claimgate.sock"))
            s.sendall(compact({"verb": verb, "text": text}) + b"\n")
            return json.loads(s.makefile().readline())

    def pass_time(self, seconds):
        """The sandbox's clock, and with it ours in what we sign, goes ahead: its new time."""
        said = self.control("clock", str(seconds))
        if "now" not in said:
            raise RuntimeError(f"the sandbox's clock does not move: {said}")
        self.shift += seconds
        self.tokens.clear()
        return said["now"]

    # calls

    def client(self, certificate=None):
        context = None
        if self.tls:
            context = ssl.create_default_context(cafile=str(self.pki / "root.crt"))
            context.check_hostname = False
            if certificate:
                context.load_cert_chain(str(self.pki / f"{certificate}.chain.pem"), str(self.pki / f"{certificate}.key"))
        return Client("127.0.0.1", self.port, context)

    def call(self, method, path, body=None, headers=None, token=None):
        """By this thread's own connection."""
        if not hasattr(self.local, "client"):
            self.local.client = self.client()
        return self.local.client.call(method, path, body, headers, token)

    def ops(self, path):
        return Client("127.0.0.1", self.ops_port).call("GET", path)

    # credentials

    def client_key(self, name):
        return self.dir / self.partners[name]["client_key"]

    def kid(self, name):
        if name not in self.thumbprints:
            self.thumbprints[name] = ec_thumbprint(self.client_key(name))
        return self.thumbprints[name]

    def assertion(self, name, header=None, claims=None, key=None):
        now, me = int(time.time()) + self.shift, self.partners[name]["id"]
        head = {"typ": "JWT", "kid": self.kid(name), **(header or {})}
        body = {"iss": me, "sub": me, "aud": f"{self.base_url}/oauth2/token", "iat": now, "exp": now + 240, "jti": secrets.token_hex(16), **(claims or {})}
        return jws_es256(key or self.client_key(name), head, compact(body))

    def token_form(self, assertion, scope=None, **members):
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **members}
        if scope is not None:
            form["scope"] = scope
        return urllib.parse.urlencode(form).encode()

    def ask_token(self, name, scope=None, client=None, assertion=None):
        call = client.call if client else self.call
        return call("POST", "/oauth2/token", self.token_form(assertion or self.assertion(name), scope), {"Content-Type": FORM})

    def token(self, name):
        """Kept for two thirds of its life."""
        if name not in self.tokens or self.tokens[name][1] < time.monotonic():
            answer = self.ask_token(name)
            if answer.status != 200:
                raise RuntimeError(f"no token for {name}: {answer}")
            self.tokens[name] = answer.json()["access_token"], time.monotonic() + answer.json()["expires_in"] * 2 / 3
        return self.tokens[name][0]

    # documents

    def samples(self, seeds, folder=None, **options):
        """Signed documents of `claimgate sample hospital`, in order: Document.  options: further ones of the command, e.g. grades="cali15:7"."""
        out = pathlib.Path(folder or self.dir / f"samples-{seeds.replace('..', '-')}")
        more = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        claimgate("sample", "hospital", "--seed", seeds, "--pki", self.pki, "--out", out, *more)
        return [Document(path) for path in sorted(out.glob("*.headers"))]

    def sign(self, body, signer, cms=False, digest=None):
        """(header name, value) of a signature over these bytes by a party of the sandbox."""
        with tempfile.NamedTemporaryFile(dir=self.dir) as file:
            file.write(body)
            file.flush()
            words = ["sign", "bundle", file.name, "--key", self.pki / f"{signer}.key", "--certificate", self.pki / f"{signer}.crt"]
            words += ["--cms"] if cms else []
            words += ["--digest", digest] if digest else []
            name, value = claimgate(*words).stdout.decode().strip().split(": ", 1)
        return name, value

    def signed(self, body, signer, media="application/fhir+json", cms=False, digest=None):
        name, value = self.sign(body, signer, cms, digest)
        return {"Content-Type": media, name: value}

    def submit(self, document, sender=None, query="", headers=None):
        return self.call("POST", f"/fhir/r4/Bundle{query}", document.body, {**document.headers, **(headers or {})}, self.token(sender or document.author))

    def application(self, application, person="person-wang", co_person=None):
        """Signed as a person's app does it."""
        with tempfile.TemporaryDirectory(dir=self.dir) as folder:
            path, out = pathlib.Path(folder) / "application.json", pathlib.Path(folder) / "signed.json"
            path.write_bytes(compact(application))
            words = ["application", "sign", path, "--key", self.pki / f"{person}.key", "--certificate", self.pki / f"{person}.crt", "--out", out]
            if co_person:
                words += ["--co-key", self.pki / f"{co_person}.key", "--co-certificate", self.pki / f"{co_person}.crt"]
            claimgate(*words)
            return out.read_bytes()

    # the registry

    def change(self, change):
        path = self.dir / "change.json"
        path.write_bytes(compact(change))
        claimgate("partner", "propose", path, "--operator", self.pki / "op1.key", "--config", self.dir / "claimgate.conf")

    def set_options(self, name, **options):
        """A partner's row anew with further options."""
        row = next(p for p in json.loads(claimgate("partner", "list", "--config", self.dir / "claimgate.conf", "--json").stdout)["data"] if p["code"] == self.partners[name]["code"])
        self.change({"kind": "partner.put", "subject": self.partners[name]["id"],
                     "body": {"kind": row["kind"], "code": row["code"], "name_zh": row["name_zh"], "scopes": row["scopes"], "options": {"token_binding": "off", **options}}})

    # what is stored

    def case_check(self, *words):
        return claimgate("case", "check", *words, "--config", self.dir / "claimgate.conf", check=False)

    def hold_cases_to_their_rules(self):
        """At the end of every test: no case breaks a rule of the schema that the test did not name in `findings`."""
        done = self.case_check("--json")
        cases = [json.loads(line) for line in done.stdout.splitlines()]
        broken = [(case["case"], case.get("error"), finding) for case in cases for finding in case.get("findings", [{}]) if finding.get("code") not in self.findings]
        if done.returncode not in (0, 10) or broken:
            self.stop()
            raise RuntimeError(f"case check ended with {done.returncode} {done.stderr.decode()}: {broken[:5]}")

    def cases(self):
        return json.loads(claimgate("case", "list", "--config", self.dir / "claimgate.conf", "--limit", "10000").stdout)["data"]

    def counts(self, without=("nonces",)):
        """Rows per table, read beside the running gateway."""
        db = sqlite3.connect(f"file:{self.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
        try:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names if name not in without}
        finally:
            db.close()

    def refusals(self):
        db = sqlite3.connect(f"file:{self.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
        try:
            return db.execute("SELECT code, place, route, bytes FROM refusals ORDER BY at, id").fetchall()
        finally:
            db.close()


class Document:
    """A signed sample: bytes, headers and who wrote it."""

    AUTHORS = {b"9901010016": "h1", b"9901020021": "h2", b"9935010039": "c1"}

    def __init__(self, headers_file):
        body_file = next(path for path in (headers_file.with_suffix(".json"), headers_file.with_suffix(".xml")) if path.exists())
        self.name, self.path = headers_file.stem, body_file
        self.body = body_file.read_bytes()
        self.is_xml = body_file.suffix == ".xml"
        name, value = headers_file.read_text().strip().split(": ", 1)
        self.headers = {"Content-Type": "application/fhir+xml" if self.is_xml else "application/fhir+json", name: value}
        self.author = next(party for code, party in self.AUTHORS.items() if code in self.body)

    def json(self):
        return json.loads(self.body)


def outcomes(lang):
    """Code → (text, remedy) as `claimgate help errors` prints them."""
    rows, code = {}, None
    for line in claimgate("help", "errors", "--lang", lang).stdout.decode().splitlines():
        head = re.match(r"^([a-z0-9-]+) +(\d{3})  (.*)$", line)
        if head:
            code = head.group(1)
            rows[code] = (head.group(3).strip(), "")
        elif code and line.strip():
            rows[code] = (rows[code][0], (rows[code][1] + " " + line.strip()).strip())
    return rows


def consent_text(name="claim-consent", version="1", lang="zh-TW"):
    """Reference to a text in force: id, version, language and the hash of its bytes, read from the table of texts."""
    table = (ROOT / "gateway/flow/person/consent_text.def").read_text(encoding="utf-8")
    row = re.search(rf'CONSENT_TEXT\("{name}", "{version}", "{lang}",((?:\s*"(?:[^"\\]|\\.)*")+)\)', table)
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', row.group(1)))
    return {"id": name, "version": version, "lang": lang, "sha256": sha256_hex(text.encode())}


def application_of(person, insurers, references=(), representatives=(), event=None):
    """An application in the form that `claimgate application sign` takes.  insurers: (code, line, benefits, kinds)."""
    common = {"person": person}
    if references:
        common["references"] = list(references)
    if representatives:
        common["representatives"] = list(representatives)
    if event:
        common["event"] = event
    items = []
    for code, line, benefits, kinds in insurers:
        items.append({"recipient": code, "line": line, "coverage": {"policy_no": f"POL-{code}"}, "benefits": [{"kind": word} for word in benefits],
                      "permission": {"purpose": "claim", "document_kinds": list(kinds), "from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z",
                                     "text": consent_text()}})
    return {"id": f"urn:uuid:{secrets.token_hex(16)}", "common": common, "insurers": items}


WANG = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "A190130001"}], "name": "王沙箱", "birth_date": "1988-05-12"}
LEE = {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B290110002"}], "name": "李沙箱", "birth_date": "1991-11-03"}


def raw_exchange(port, head, seconds=30):
    """Sends a request's head as it stands and returns (status, headers text) without ever sending a body."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        s.sendall(head)
        got = b""
        while b"\r\n\r\n" not in got:
            some = s.recv(65536)
            if not some:
                break
            got += some
    status = int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/") else 0
    return status, got
