#!/usr/bin/env python3
"""A walk through every operation of openapi/gateway.yaml on a running gateway: the examples are sent, each request and reply is held against the description."""
import http.server
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import covers  # noqa: E402
import motor  # noqa: E402
import represent  # noqa: E402
import test_login  # noqa: E402
import test_mydata  # noqa: E402
import test_wallet  # noqa: E402
from spec import FILE, Spec  # noqa: E402
from support import *  # noqa: E402, F403

check = Checks()


# -- the description as judge --

class Judge:
    def __init__(self, g, spec):
        self.g, self.spec = g, spec
        self.table = {name: (method, path, operation) for name, method, path, operation in spec.operations()}
        self.succeeded, self.statuses = set(), {}

    def example(self, name, media=None, which=None):
        """A request's example as the description has it."""
        content = self.table[name][2]["requestBody"]["content"]
        media = media or next(m for m in content if self.spec.examples(content[m]))
        examples = self.spec.examples(content[media])
        return json.loads(json.dumps(examples[which or next(iter(examples))])), media

    def path(self, name, values):
        _, path, operation = self.table[name]
        for p in self.spec.parameters(operation):
            if p["in"] == "path":
                path = path.replace("{%s}" % p["name"], urllib.parse.quote(str(values.get(p["name"], p["example"])), safe=""))
        return path

    def ask(self, name, values=None, query=None, body=None, media=None, headers=None, token=None, want=None, label="", bad_request=False, like_example=True):
        """Sends what the description allows (or, with bad_request, what it does not) and judges the reply."""
        method, _, operation = self.table[name]
        label = f"{name}{' ' + label if label else ''}"
        path = self.path(name, values or {}) + ("?" + urllib.parse.urlencode(query) if query else "")
        data = encode(body, media)
        sent = {**({"Content-Type": media} if data is not None else {}), **(headers or {})}
        if not bad_request:
            self.judge_request(label, operation, body, media, sent, query or {})
        answer = self.g.call(method, path, data, sent, token)
        if want is not None:
            check.that(answer.status == want, f"{label}: status {answer.status}, want {want}: {answer.body[:300]!r}")
        self.judge_reply(label, name, operation, answer, like_example)
        return answer

    def judge_request(self, label, operation, body, media, headers, query):
        for p in self.spec.parameters(operation):
            value = {"header": headers, "query": query}.get(p["in"], {}).get(p["name"])
            check.that(value is not None or not p.get("required") or p["in"] == "path", f"{label}: {p['name']} is required")
            if value is not None and p["in"] == "header":
                check.equal(self.spec.problems(p["schema"], value), [], f"{label}: header {p['name']}")
        names = {p["name"] for p in self.spec.parameters(operation) if p["in"] == "query"}
        check.that(set(query) <= names, f"{label}: query {set(query) - names} is not described")
        described = {p["name"].lower() for p in self.spec.parameters(operation)} | {"content-type", "accept", "x-track-token", "authorization", "cookie"}
        check.that({h.lower() for h in headers} <= described, f"{label}: headers {set(headers)} are not all described")
        if body is not None:
            schema = operation["requestBody"]["content"].get(media, operation["requestBody"]["content"].get("*/*", {})).get("schema")
            if check.that(schema is not None, f"{label}: {media} is not described") and not isinstance(body, bytes):
                check.equal(self.spec.problems(schema, body), [], f"{label}: request")

    def judge_reply(self, label, name, operation, answer, like_example=True):
        status = str(answer.status)
        self.statuses.setdefault(name, set()).add(status)
        if not check.that(status in operation["responses"], f"{label}: status {status} is not described: {answer.body[:200]!r}"):
            return
        reply = self.spec.resolved(operation["responses"][status])
        if status[0] in "23":
            self.succeeded.add(name)
        for header, rule in reply.get("headers", {}).items():
            rule, value = self.spec.resolved(rule), answer.headers.get(header.lower())
            check.that(value is not None or not rule.get("required"), f"{label} {status}: header {header} is missing")
            if value is not None:
                check.equal(self.spec.problems(rule["schema"], value), [], f"{label} {status}: header {header}")
        check.that(answer.headers.get("x-request-id", "").startswith("req-"), f"{label} {status}: X-Request-Id")
        if not reply.get("content"):
            check.equal(answer.body, b"", f"{label} {status}: no body")
            return
        rule = reply["content"].get(answer.media)
        if not check.that(rule is not None, f"{label} {status}: media type {answer.media} is not described"):
            return
        is_json = answer.media.endswith("json")
        value = answer.json() if is_json else answer.body.decode(errors="replace")
        check.equal(self.spec.problems(rule["schema"], value), [], f"{label} {status}: reply")
        for example_name, example in self.spec.examples(rule).items():
            if like_example and is_json and status[0] == "2" and not rule["schema"].get("$ref", "").endswith("DocumentBundle"):
                check.equal(unlike(example, value), [], f"{label} {status}: example {example_name} shows what the gateway does not answer")


def encode(body, media):
    if body is None or isinstance(body, bytes):
        return body
    if media == FORM:
        return urllib.parse.urlencode(body).encode()
    return body.encode() if isinstance(body, str) else compact(body)


def unlike(example, live, place=""):
    """Members that the example shows and the reply has not, or has with another type.  Of lists the first entries are compared, and those with a name."""
    if isinstance(example, dict):
        if not isinstance(live, dict):
            return [place]
        return [p for key, value in example.items() for p in (unlike(value, live[key], f"{place}/{key}") if key in live else [f"{place}/{key}"])]
    if isinstance(example, list):
        if not isinstance(live, list):
            return [place]
        if example and isinstance(example[0], dict) and "name" in example[0]:
            names = {entry.get("name") for entry in live}
            return [f"{place}[{entry['name']}]" for entry in example if entry["name"] not in names]
        return unlike(example[0], live[0], f"{place}/0") if example and live else []
    kinds = [bool if isinstance(v, bool) else float if isinstance(v, (int, float)) else type(v) for v in (example, live)]
    return [] if kinds[0] is kinds[1] else [place]


# -- where the notices go --

class Notices:
    """A webhook endpoint of an insurer."""

    def __init__(self):
        notices = self.got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                notices.append((dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def judge(self, spec, jwks, folder):
        operation = spec.root["webhooks"]["notice"]["post"]
        check.that(wait_until(lambda: self.got, 30), "a notice arrives")
        for headers, body in list(self.got):
            lower = {name.lower(): value for name, value in headers.items()}
            for p in spec.parameters(operation):
                value = lower.get(p["name"].lower())
                check.that(value is not None, f"notice: header {p['name']}")
                check.equal(spec.problems(p["schema"], value), [], f"notice: header {p['name']}")
            check.equal(spec.problems(operation["requestBody"]["content"]["application/json"]["schema"], json.loads(body)), [], "notice: body")
            check.equal(lower["webhook-id"], json.loads(body)["id"], "notice: id in header and body")
            check.that(not any(value in body.decode() for value in PERSONAL), "notice: nothing personal")
            check.that(signature_holds(lower, body, jwks, folder), "notice: signature by the gateway's Ed25519 key")
        self.server.shutdown()


def signature_holds(headers, body, jwks, folder):
    key = next(k for k in jwks["keys"] if k["kty"] == "OKP")
    der = bytes.fromhex("302a300506032b6570032100") + from_b64url(key["x"])
    (folder / "webhook.der").write_bytes(der)
    (folder / "webhook.sig").write_bytes(base64.b64decode(headers["webhook-signature"].split(",", 1)[1]))
    (folder / "webhook.txt").write_bytes(f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", str(folder / "webhook.der"), "-rawin", "-in",
                           str(folder / "webhook.txt"), "-sigfile", str(folder / "webhook.sig")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode == 0


# -- the walk --

JSON = "application/json"


def walk_open(j):
    described = j.ask("openapi", want=200)
    check.equal(described.body, FILE.read_bytes(), "openapi: the file as it is in the tree")
    j.ask("problemPage", want=200)
    j.ask("problemPage", {"code": "no-such-code"}, want=404, label="unknown")
    j.ask("metadata", want=200)
    j.ask("smartConfiguration", want=200)
    j.ask("oauthServer", want=200)
    j.ask("logHead", want=200)
    j.ask("logConsistency", query={"first_size": "1"}, want=200)
    j.ask("trackPage", want=200)
    return j.ask("jwks", want=200).json()


def walk_tokens(j, g):
    body, media = j.example("token")
    body["client_assertion"] = g.assertion("h1")
    j.ask("token", body=body, media=media, want=200)
    j.ask("token", body=body, media=media, want=401, label="replayed")
    body["client_assertion"], body["scope"] = g.assertion("h1"), "admin"
    j.ask("token", body=body, media=media, want=400, label="another scope")
    j.ask("token", body={**body, "grant_type": "password"}, media=media, want=400, label="another grant", bad_request=True)


def walk_documents(j, g):
    """The example certificate, signed by the hospital; its identifier is the one of the search's example, the reference that of the look-up's."""
    body, media = j.example("bundleCreate")
    data, token = compact(body), g.token("h1")
    name, value = g.sign(data, "h1")
    reference = next(p["example"] for p in j.spec.parameters(j.table["bundleCreate"][2]) if p["name"] == "X-Sender-Reference")
    headers = {name: value, "X-Sender-Reference": reference, "Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"}
    dry = j.ask("bundleCreate", query={"dry-run": "true"}, body=data, media=media, headers=headers, token=token, label="dry run", like_example=False)
    check.equal((dry.status, dry.parameter("outcome")), (200, "dry-run"), "bundleCreate: dry run")
    sent = j.ask("bundleCreate", body=body, media=media, headers=headers, token=token, want=201)
    j.ask("bundleCreate", body=body, media=media, headers=headers, token=token, want=200, label="again")
    j.ask("bundleCreate", body=body, media=media, token=token, want=422, label="no signature")
    j.ask("bundleCreate", body=b"{", media=media, headers=headers, token=token, want=400, label="malformed", bad_request=True)
    j.ask("bundleCreate", body=body, media=media, headers={**headers, "Content-Digest": "sha-256=:AAAA:"}, token=token, want=400, label="another digest")
    checked = j.ask("validate", {"type": "Bundle"}, body=body, media=media, token=token, want=200, like_example=False)
    check.equal(checked.json()["resourceType"], "OperationOutcome", "validate: the example certificate")
    j.ask("validate", {"type": "Bundle"}, body=b"{", media=media, token=token, want=400, label="malformed", bad_request=True)
    search = next(p["example"] for p in j.spec.parameters(j.table["bundleSearch"][2]) if p["name"] == "identifier")
    found = j.ask("bundleSearch", query={"identifier": search}, token=token, want=200)
    check.equal(found.json()["total"], 1, "bundleSearch: the example's identifier")
    document, submission = sent.parameter("document"), sent.parameter("submission")
    read = j.ask("bundleRead", {"id": document}, token=token, want=200)
    check.equal(read.body, data, "bundleRead: the bytes that were signed")
    j.ask("bundleRead", {"id": document}, headers={"Accept": "application/fhir+xml"}, token=token, want=406, label="another form")
    for which in ("reference", "digest"):
        body, media = j.example("submissionLookup", which=which)
        if which == "digest":
            body["sha256"] = sha256_hex(data)
        j.ask("submissionLookup", body=body, media=media, token=token, want=200, label=which)
    j.ask("receiptGet", {"id": submission}, token=token, want=200)
    j.ask("receiptProof", {"id": submission}, token=token, want=200)
    xml = next(d for d in g.samples("1..12") if d.is_xml)
    header = next(name for name in xml.headers if name != "Content-Type")
    stored = j.ask("bundleCreate", body=xml.body, media="application/fhir+xml", headers={header: xml.headers[header]}, token=g.token(xml.author), want=201, label="XML")
    j.ask("bundleRead", {"id": stored.parameter("document")}, token=g.token(xml.author), want=200, label="XML")
    return document


def walk_filing(j, g):
    visit = {"author": "9901010016", "kind": "visit_no", "value": "V10000001"}

    def signed(code, line, benefits):
        body, media = j.example("applicationCreate")
        real = json.loads(g.application(application_of(WANG, [(code, line, benefits, ["certificate", "receipt", "accident-part"])], [visit])))
        check.equal(set(real) - set(body), set(), "applicationCreate: the example has the members of a real one")
        for item in real["items"]:
            check.equal(j.spec.problems({"$ref": "#/components/schemas/ApplicationItem"}, json.loads(from_b64url(item))), [], "applicationCreate: an item, decoded")
        body.update(real)
        return body, media
    body, media = signed("99000116", "health", ["reimbursement_inpatient"])
    filed = j.ask("applicationCreate", body=body, media=media, token=g.token("app"), want=201)
    j.ask("applicationCreate", body=body, media=media, token=g.token("app"), want=200, label="again")
    broken = {**body, "items": body["items"][:1] + [body["items"][1][:-2] + "AA"]}
    j.ask("applicationCreate", body=broken, media=media, token=g.token("app"), want=422, label="an item that was not signed")
    body, media = signed("99000220", "health", ["daily_hospital"])
    j.ask("permissionCreate", body=body, media=media, token=g.token("app"), want=201)
    j.ask("permissionCreate", body=body, media=media, token=g.token("app"), want=200, label="again")
    return filed.json()


def walk_images(j, g, filed):
    """A receipt that nobody signed, as a picture: sent by the app, fetched by the insurer whose view names it."""
    given = application_of(WANG, [("99000220", "injury", ["injury_medical"], ["attachment"])], [{"author": "9901010016", "kind": "visit_no", "value": "V10000001"}])
    claim = j.ask("applicationCreate", body=json.loads(g.application(given)), media="application/json", token=g.token("app"), want=201, label="of attachments", like_example=False).json()
    body, media = j.example("imageCreate")
    body |= {"case": claim["case"], "sha256": motor.upload(g, "app", PNG, "image/png")["sha256"]}
    for want in (201, 200):
        said = j.ask("imageCreate", body=body, media=media, token=g.token("app"), want=want).json()
        image = said.get("image") or image
    j.ask("imageCreate", body={**body, "case": "case-01m7z5w4t2e818qcc1tkrdntm3"}, media=media, token=g.token("app"), want=404, label="for another case")
    j.ask("imageCreate", body={**body, "level": "verified-ocsp"}, media=media, token=g.token("app"), want=422, label="of another form", bad_request=True)
    place = {"id": claim["claims"][0]["claim"], "image": image}
    j.ask("claimImage", place, token=g.token("l2"), want=200)
    j.ask("claimImage", place, token=g.token("l1"), want=404, label="of another")


def walk_records(j, g, filed):
    """The example's slip, asked for by an insurer, shown to its agency when the person has given the mandate, promised and refused."""
    body, media = j.example("recordRequestCreate")
    token, owner = g.token("l1"), g.token("k1")
    j.ask("recordRequestCreate", body=body, media=media, token=token, want=404, label="for another's claim")
    body["claim"] = filed["claims"][0]["claim"]
    asked = j.ask("recordRequestCreate", body=body, media=media, token=token, want=202).json()["data"]
    j.ask("recordRequestCreate", body={**body, "items": ["certificate"]}, media=media, token=token, want=422, label="what it does not keep")
    j.ask("recordRequestGet", {"id": asked[0]["id"]}, token=token, want=200)
    check.equal(j.ask("taskList", token=owner, want=200, label="without a mandate").json()["data"], [], "taskList: nothing without a mandate")
    given = application_of(WANG, [], [{"author": "9901010016", "kind": "visit_no", "value": "V10000001"}])
    text = consent_text("retrieval-mandate")
    given["mandates"] = [{"holder": "A99010001K", "person": WANG, "permission": {"purpose": "claim", "document_kinds": ["accident-part"], "from": "2026-01-01T00:00:00Z", "text": text}}]
    real = json.loads(g.application(given))
    for item in real["items"]:
        check.equal(j.spec.problems({"$ref": "#/components/schemas/ApplicationItem"}, json.loads(from_b64url(item))), [], "permissionCreate: a mandate's item, decoded")
    j.ask("permissionCreate", body=real, media=media, token=g.token("app"), want=201, label="a mandate", like_example=False)
    task = {"id": j.ask("taskList", query={"limit": "10"}, token=owner, want=200).json()["data"][0]["id"]}
    etag = j.ask("taskGet", task, token=owner, want=200).headers["etag"]
    j.ask("taskGet", task, token=g.token("k2"), want=404, label="of another agency")
    for which in ("promised", "refused"):
        body, media = j.example("taskAnswer", which=which)
        etag = j.ask("taskAnswer", task, body=body, media=media, headers={"If-Match": etag}, token=owner, want=200, label=which).headers["etag"]
    j.ask("taskAnswer", task, body=body, media=media, headers={"If-Match": '"1"'}, token=owner, want=412, label="an older version")


def walk_claim(j, g, filed, document):
    token, claim = g.token("l1"), filed["claims"][0]["claim"]
    page = j.ask("eventList", query={"limit": "50"}, token=token, want=200).json()
    check.equal([e["sequence"] for e in page["data"]], list(range(1, len(page["data"]) + 1)), "eventList: numbers without gaps")
    body, media = j.example("consumerCommit")
    body["cursor"] = page["next_cursor"]
    j.ask("consumerCommit", body=body, media=media, token=token, want=200)
    check.equal(j.ask("eventList", query={"consumer": "nightly"}, token=token, want=200, label="from the position").json()["data"], [], "eventList: nothing after the position")
    j.ask("eventList", query={"cursor": "made-up"}, token=token, want=400, label="a made-up cursor")
    read = j.ask("claimGet", {"id": claim}, token=token, want=200)
    j.ask("claimGet", {"id": claim}, headers={"If-None-Match": read.headers["etag"]}, token=token, want=304, label="unchanged")
    attestation = json.loads(from_b64url(read.json()["attestation"].split(".")[1]))
    check.equal(attestation["claim"], claim, "claimGet: the attestation names the claim")
    body, media = j.example("claimSearch")
    body["state"] = read.json()["claim"]["state"]
    check.equal([c["id"] for c in j.ask("claimSearch", body=body, media=media, token=token, want=200).json()["data"]], [claim], "claimSearch: the claim")
    j.ask("claimTimeline", {"id": claim}, token=token, want=200)
    j.ask("fhirClaimRead", {"id": claim}, token=token, want=200)
    originals = [d for d in read.json()["documents"] if "original" in d]
    shown = j.ask("claimDocument", {"id": claim, "document": originals[0]["id"] if originals else document}, token=token)
    check.equal(shown.status, 200 if originals else 404, "claimDocument: the original where the view covers it whole, else nothing")
    walk_words(j, g, claim, read.headers["etag"])


def walk_words(j, g, claim, etag):
    token = g.token("l1")
    body, media = j.example("claimStatus")
    key = next(p["example"] for p in j.spec.parameters(j.table["claimStatus"][2]) if p["name"] == "Idempotency-Key")
    headers = {"Idempotency-Key": key, "If-Match": etag}
    j.ask("claimStatus", {"id": claim}, body=body, media=media, headers={**headers, "If-Match": '"99"'}, token=token, want=412, label="an older version")
    j.ask("claimStatus", {"id": claim}, body=body, media=media, headers={"Idempotency-Key": key}, token=token, want=428, label="no If-Match", bad_request=True)
    j.ask("claimStatus", {"id": claim}, body=body, media=media, headers={"If-Match": etag}, token=token, want=400, label="no key", bad_request=True)
    j.ask("claimStatus", {"id": claim}, body={"state": "approved"}, media=media, headers=headers, token=token, want=422, label="a decision without signature")
    j.ask("claimStatus", {"id": claim}, body={"state": "closed"}, media=media, headers={**headers, "Idempotency-Key": "c" * 20}, token=token, want=409, label="an illegal move")
    for more in ({**body, "unheard-of": 1}, {"state": 1}):
        j.ask("claimStatus", {"id": claim}, body=more, media=media, headers=headers, token=token, want=422, label="off the schema", bad_request=True)
    told = j.ask("claimStatus", {"id": claim}, body=body, media=media, headers=headers, token=token, want=200)
    again = j.ask("claimStatus", {"id": claim}, body=body, media=media, headers=headers, token=token, want=200, label="again")
    check.equal((again.body, again.headers.get("idempotency-replayed")), (told.body, "true"), "claimStatus: the same key gets the same answer")
    j.ask("claimStatus", {"id": claim}, body={"state": "in_review"}, media=media, headers=headers, token=token, want=422, label="the key for another body")
    body, media = j.example("claimDecision")
    name, value = g.sign(compact(body), "l1")
    headers = {"Idempotency-Key": "d" * 20, "If-Match": told.headers["etag"], name: value}
    j.ask("claimDecision", {"id": claim}, body=body, media=media, headers={k: v for k, v in headers.items() if k != name}, token=token, want=422, label="unsigned")
    wrong = g.sign(compact(body), "l2")
    j.ask("claimDecision", {"id": claim}, body=body, media=media, headers={**headers, wrong[0]: wrong[1]}, token=token, want=422, label="signed by another insurer")
    decided = j.ask("claimDecision", {"id": claim}, body=body, media=media, headers=headers, token=token, want=200)
    check.equal(decided.json()["claim"]["state"], "approved", "claimDecision: the state")


def walk_person(j, g, filed):
    extract = represent.paper("attorney", represent.WANG, [represent.LEE], acts=["apply"], to="2029-12-31")
    check.equal(j.spec.problems({"$ref": "#/components/schemas/RepresentationPaper"}, extract), [], "RepresentationPaper")
    body, media = j.example("representationCreate")
    body.update(json.loads(represent.signed(g, extract, "person-wang")))
    for want in (201, 200):
        j.ask("representationCreate", body=body, media=media, token=g.token("app"), want=want)
    body.update(json.loads(represent.signed(g, extract, "person-lee")))
    j.ask("representationCreate", body=body, media=media, token=g.token("app"), want=422, label="by another")
    code = {"X-Track-Token": filed["track_codes"][0]["code"]}
    for lang in ("zh-TW", "en"):
        j.ask("trackGet", headers={**code, "Accept-Language": lang}, token=g.token("app"), want=200, label=lang)
    j.ask("trackGet", headers=code, want=401, label="a code alone")
    j.ask("trackGet", headers=code, token=g.token("l2"), want=403, label="an insurer")
    j.ask("permissionList", headers=code, token=g.token("l2"), want=403, label="an insurer")
    j.ask("permissionList", headers=code, token=g.token("app"), want=200)
    body, media = j.example("trackSession")
    body["code"] = filed["track_codes"][0]["code"]
    session = j.ask("trackSession", body=body, media=media, want=200).json()
    j.ask("trackSession", body=body, media=FORM, want=200, label="form")
    j.ask("trackSession", body={**body, "birth_date": "1990-01-01"}, media=media, want=401, label="another birth date")
    steps = {"X-Track-Token": session["track_token"]}
    small = j.ask("trackGet", headers=steps, want=200, label="by a session", like_example=False)
    shown = set(small.json()) | {name for claim in small.json()["claims"] for name in claim}
    check.that(not shown & {"id", "recipient", "documents", "received_by"}, f"trackGet: a session shows steps and dates only ({shown})")
    j.ask("permissionList", headers=steps, want=401, label="by a session")
    j.ask("caseGet", {"id": filed["case"]}, query={"provenance": "true"}, token=g.token("app"), want=200)
    permission = filed["claims"][0]["permission"]
    body, media = j.example("permissionWithdraw")
    x5c = [base64.b64encode(certificate_der(g.pki / "person-wang.crt")).decode()]
    body["signature"] = jws_es256(g.pki / "person-wang.key", {"x5c": x5c}, compact({"withdraw": permission}))
    j.ask("permissionWithdraw", {"id": permission}, body=body, media=media, token=g.token("app"), want=200)
    j.ask("permissionWithdraw", {"id": permission}, body=body, media=media, token=g.token("app"), want=409, label="again")
    events = j.ask("eventList", token=g.token("l1"), want=200, label="after the withdrawal", like_example=False).json()["data"]
    notices = ("record.promised", "record.refused")  # of what was asked for: nobody's document
    check.that(events and all(e["type"] == "tombstone" for e in events if e["type"] not in notices), "eventList: tombstones after the withdrawal")


def walk_rest(j, g):
    body, media = j.example("attachmentPut")
    digest = sha256_hex(body.encode())
    for want in (201, 200):
        j.ask("attachmentPut", {"sha256": digest}, body=body, media="text/plain", token=g.token("k1"), want=want)
    j.ask("attachmentPut", {"sha256": "0" * 64}, body=body, media="text/plain", token=g.token("k1"), want=422, label="another digest")
    walk_upload(j, g)
    body, media = j.example("accidentRecordCreate")
    name, value = g.sign(compact(body), "k1")
    for want in (201, 200):
        j.ask("accidentRecordCreate", body=body, media=media, headers={name: value}, token=g.token("k1"), want=want)
    j.ask("accidentRecordCreate", body=body, media=media, token=g.token("k1"), want=422, label="no signature")
    walk_notice(j, g)
    j.ask("partnerKeys", token=g.token("app"), want=200)
    j.ask("partnerKeys", {"id": g.partners["l1"]["id"]}, token=g.token("app"), want=200, label="by id")
    j.ask("partnerKeys", {"id": "00000000"}, token=g.token("app"), want=404, label="unknown")


def walk_notice(j, g):
    accident = {"author": "A99010001K", "kind": "accident_no", "value": "SB20260110001"}
    filed = g.call("POST", "/v1/applications", g.application(application_of(WANG, [("99000447", "cali", ["cali_medical"], ["accident-part"])], [accident])), {"Content-Type": JSON},
                   g.token("app")).json()
    claim = {"id": filed["claims"][0]["claim"]}
    body, media = j.example("claimNotice")
    for want in (201, 200):
        j.ask("claimNotice", claim, body=body, media=media, token=g.token("p1"), want=want)
    j.ask("claimNotice", claim, body={**body, "to": "99000447"}, media=media, token=g.token("p1"), want=422, label="to himself")


def walk_upload(j, g):
    body, media = j.example("uploadCreate")
    piece, _ = j.example("uploadAppend")
    here = j.ask("uploadCreate", body=body, media=media, token=g.token("k1"), want=200, label="of a file that is here", like_example=False)
    check.equal(here.json()["complete"], True, "uploadCreate: the file is here already")
    upload = {"id": j.ask("uploadCreate", body=body, media=media, token=g.token("r1"), want=201).json()["id"]}
    j.ask("uploadState", upload, token=g.token("r1"), want=200)
    j.ask("uploadState", upload, token=g.token("k1"), want=404, label="of another organisation")
    j.ask("uploadAppend", upload, body=piece, media="text/plain", headers={"Upload-Offset": "9"}, token=g.token("r1"), want=409, label="at a wrong offset")
    j.ask("uploadAppend", upload, body=piece, media="text/plain", headers={"Upload-Offset": "0"}, token=g.token("r1"), want=200)
    other = {**body, "sha256": sha256_hex(b"another file")}
    given_up = {"id": j.ask("uploadCreate", body=other, media=media, token=g.token("r1"), want=201, label="to be given up").json()["id"]}
    j.ask("uploadCancel", given_up, token=g.token("r1"), want=204)


# The smallest PNG.
PNG = (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU" + b"\0\0\0\nIDATx\x9cc`\0\0\0\2\0\1H\xaf\xa4q" + b"\0\0\0\0IEND\xaeB`\x82")


def walk_motor(j, g):
    """The owner's filing, the shop's estimate, the insurer's approval and recourse; each signed by who writes it."""
    said = None
    for which, signer, sender in (("filing", "person-wang", "app"), ("estimate", "r1", "r1"), ("approval", "p1", "p1")):
        body, media = j.example("motorFilingCreate", which=which)
        if which == "filing":
            body["photos"] = [motor.upload(g, "app", PNG, "image/png")]
        name, value = g.sign(compact(body), signer)
        for want in (201, 200):
            answer = j.ask("motorFilingCreate", body=body, media=media, headers={name: value}, token=g.token(sender), want=want, label=which, like_example=which == "filing")
            said = answer.json() if which == "filing" and want == 201 else said
        j.ask("motorFilingCreate", body=body, media=media, token=g.token(sender), want=422, label=f"{which} without signature")
    filing = {"id": said["case"]}
    shop = j.ask("motorFilingGet", filing, token=g.token("r1"), want=200).json()
    picture = {**filing, "photo": shop["content"]["vehicles"][0]["photos"][0]["photo_id"]}
    j.ask("motorPhoto", picture, token=g.token("r1"), want=200)
    j.ask("motorPhoto", picture, query={"original": "true"}, token=g.token("r1"), want=404, label="the original of another")
    j.ask("motorFilingGet", filing, token=g.token("app"), headers={"X-Track-Token": said["track_code"]}, want=200, label="of the owner", like_example=False)
    j.ask("motorFilingGet", filing, token=g.token("p1"), want=200, label="of the insurer", like_example=False)
    j.ask("motorFilingGet", filing, token=g.token("p3"), want=404, label="of another")
    for words in ("repair-flat-1", "repair-xml-1"):
        j.ask("claimFormat", {"id": said["claims"][0]["claim"], "format": words}, token=g.token("p1"), want=200)
    j.ask("claimFormat", {"id": said["claims"][0]["claim"], "format": "of-nobody"}, token=g.token("p1"), want=404, label="unknown")
    body, media = j.example("claimRecourse")
    name, value = g.sign(compact(body), "p1")
    claim = {"id": said["claims"][0]["claim"]}
    j.ask("claimRecourse", claim, body=body, media=media, headers={name: value}, token=g.token("p2"), want=404, label="by another")
    j.ask("claimRecourse", claim, body=body, media=media, headers={name: value}, token=g.token("p1"), want=201)


def walk_cover(j, g):
    """Who insures the filing's car, asked of an insurer whose desk denies it."""
    body, media = j.example("motorFilingCreate", which="filing")
    body["filing"] = "urn:uuid:cover-lookup"
    name, value = g.sign(compact(body), "person-wang")
    filed = j.ask("motorFilingCreate", body=body, media=media, headers={name: value}, token=g.token("app"), want=201, label="for a lookup", like_example=False).json()
    question, media = j.example("coverLookupCreate")
    question |= {"plate": body["vehicle"]["plate"], "date": body["accident"]["occurred"][:10]}
    token = g.token("p1")
    j.ask("coverLookupCreate", body=question, media=media, token=token, want=404, label="for another's claim")
    question["claim"] = filed["claims"][0]["claim"]
    j.ask("coverLookupCreate", body=question, media=media, token=token, want=422, label="of nobody")
    desk = covers.CoverDesk(g, "p2", "99000559")
    g.set_options("p2", cali="yes", lookup_url=desk.url)
    one = {"id": j.ask("coverLookupCreate", body=question, media=media, token=token, want=202).json()["id"]}
    wait_until(lambda: g.call("GET", f"/v1/cover-lookups/{one['id']}", token=token).json()["state"] != "asking")
    said = j.ask("coverLookupGet", one, token=token, want=200, like_example=False).json()
    check.equal((said["state"], said["result"]), ("answered", "uninsured"), "coverLookupGet: not our insured")
    j.ask("coverLookupGet", one, token=g.token("l1"), want=404, label="of another")
    desk.close()


def walk_household(j, g):
    body, media = j.example("householdExtractCreate")
    name, value = g.sign(compact(body), "o1")
    for want in (201, 200):
        j.ask("householdExtractCreate", body=body, media=media, headers={name: value}, token=g.token("o1"), want=want, label="again" if want == 200 else "")
    j.ask("householdExtractCreate", body=body, media=media, token=g.token("o1"), want=422, label="without signature")
    other = {**body, "no": "HH-900002", "office": {**body["office"], "code": "A99010001K"}}
    name, value = g.sign(compact(other), "k1")
    j.ask("householdExtractCreate", body=other, media=media, headers={name: value}, token=g.token("o1"), want=422, label="by a police agency")


WITHOUT_SCOPE = {"accident-records:write": "r1", "tasks:write": "r1"}  # else k1, which has these and attachments:write
REQUIRED = {"Idempotency-Key": "e" * 20, "If-Match": '"1"'}
WITH_SCOPE = {"system/Bundle.c": "h1", "system/Bundle.r": "h1", "applications:write": "app", "permissions:write": "app", "accident-records:write": "k1",
              "attachments:write": "r1", "motor-filings:write": "r1", "motor-filings:read": "r1", "cases:read": "app", "documents:read": "app", "claims:read": "l1", "claims:write": "l1", "events:read": "l1", "webhooks:write": "l1",
              "record-requests:write": "l1", "tasks:write": "k1", "cover-lookups:write": "l1", "household-extracts:write": "o1"}


def walk_presentation(j, g, outside):
    """A wallet and the ministry's module, scripted as in the flow tests."""
    world, key, issuer = outside
    app, wallet = test_wallet.App(g), test_wallet.Wallet(g, world, key, issuer)
    body, media = j.example("presentationCreate")
    one = j.ask("presentationCreate", body=body, media=media, token=g.token("app"), want=201).json()
    handle = {"handle": test_wallet.handle_of(one)}
    answer = j.ask("walletRequest", handle, query={"wallet_nonce": "n-0S6"}, want=200)
    asked = json.loads(from_b64url(answer.body.decode().split(".")[1]))
    check.equal(asked.get("wallet_nonce"), "n-0S6", "the wallet's nonce comes back")
    j.ask("walletRequest", handle, want=409, label="twice")
    sealed = {"response": wallet.present(asked, wallet.credential())}
    j.ask("walletResponse", handle, body=sealed, media=FORM, want=200)
    j.ask("walletResponse", handle, body=sealed, media=FORM, want=409, label="twice")
    app.until(one, "verified", "refused")
    j.ask("presentationGet", {"id": one["id"]}, token=g.token("app"), want=200)
    body["profile"] = "twdiw-delegate"
    app.until(app.ask(**body), "waiting")
    hint, media = j.example("walletHint")
    hint["transactionId"] = world.asked[-1][1]["transactionId"]
    j.ask("walletHint", body=hint, media=media, want=200)
    hint["transactionId"] = "of-nobody"
    j.ask("walletHint", body=hint, media=media, want=400, label="of nobody")


def walk_mydata(j, g, platform):
    app = test_mydata.App(g, platform)
    body, media = j.example("mydataCreate")
    one = j.ask("mydataCreate", body=body, media=media, token=g.token("app"), want=201).json()
    notice, media = j.example("mydataNotice")
    notice.update(tx_id=urllib.parse.urlparse(one["link"]).path.rsplit("/", 1)[1], permission_ticket="live")
    notice["secret_key"] = base64.b64encode(test_mydata.aes_cbc(test_mydata.SECRET * 2, test_mydata.IV, test_mydata.KEK)).decode()
    platform.packages["live"] = [(200, test_mydata.package(g), {})]
    j.ask("mydataNotice", body=notice, media=media, want=200)
    j.ask("mydataNotice", body=notice, media=media, want=409, label="twice")
    app.until(one, "done", "refused")
    j.ask("mydataGet", {"id": one["id"]}, token=g.token("app"), want=200)
    j.ask("mydataPull", {"id": one["id"]}, body={}, media=JSON, token=g.token("app"), want=403, label="made before")
    platform.packages["late"] = [(429, b"", {"Retry-After": "3600"})]
    one = app.begin()
    j.ask("mydataPull", {"id": one["id"]}, body={}, media=JSON, token=g.token("app"), want=403, label="before the consent")
    app.notice(one, "late")
    wait_until(lambda: app.fetches("late") and app.read(one)["state"] == "ready")
    j.ask("mydataPull", {"id": one["id"]}, body={}, media=JSON, token=g.token("app"), want=202)


def walk_wallet_login(j, g, outside):
    world, key, issuer = outside
    app, browser, wallet = test_login.App(g), test_login.Browser(g), test_wallet.Wallet(g, world, key, issuer)
    browser.open(app, app.push().json()["request_uri"])
    browser.call("POST", "/login", {"action": "wallet"})
    link = {"link": test_login.wallet_link(browser.page())}
    back = wallet.answer(link, wallet.present(test_wallet.request_object(g, link), wallet.credential())).json()["redirect_uri"]
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(back).query))
    check.that(wait_until(lambda: j.ask("loginReturn", query=code, headers={"Cookie": browser.cookie}).status == 303), "loginReturn: back to the app")


def walk_account(j, ask):
    """Another account for the person's claim."""
    case = next(c["case"] for c in ask("personGet", like_example=False).json()["cases"] if c["role"] == "subject")
    claims = [c["id"] for c in ask("trackGet", query={"case": case}, label="claims", like_example=False).json()["claims"]]
    body, media = j.example("accountChange")
    answers = [ask("accountChange", {"id": claim}, body=body, media=media, want=None) for claim in claims]
    check.that({a.status for a in answers} <= {202, 409} and any(a.status == 202 for a in answers), f"accountChange: {answers}")
    ask("accountChange", {"id": "claim-01k00000000000000000000000"}, body=body, media=media, want=404, label="of nobody")
    ask("accountChange", {"id": claims[0]}, body={"payee": {}}, media=media, want=422, label="no account", bad_request=True)


def walk_login(j, g, document):
    """A person logs in for the app, with what the description shows, and looks."""
    app, browser = test_login.App(g), test_login.Browser(g)
    body, media = j.example("pushRequest")
    body.update(client_assertion=g.assertion("app"), code_challenge=app.challenge())
    pushed = j.ask("pushRequest", body=body, media=media, want=201).json()
    j.ask("pushRequest", body=body, media=media, want=401, label="the same assertion again")
    j.ask("pushRequest", body={**body, "client_assertion": g.assertion("app"), "redirect_uri": "https://evil.example/"}, media=media, want=400, label="another address")
    j.ask("authorize", query={"client_id": app.id, "request_uri": "urn:ietf:params:oauth:request_uri:made-up"}, want=400, label="made up")
    opened = j.ask("authorize", query={"client_id": app.id, "request_uri": pushed["request_uri"]}, want=303)
    cookie = {"Cookie": opened.headers["set-cookie"].split(";")[0]}
    page = j.ask("loginPage", headers=cookie, want=200)
    j.ask("loginPage", want=400, label="no cookie")
    j.ask("loginReturn", query={"response_code": "made-up"}, headers=cookie, label="no wallet was asked")
    body, media = j.example("loginSubmit")
    j.ask("loginSubmit", body={**body, "action": "fido"}, media=media, headers=cookie, want=422, label="a way that is not set up")
    body["signature"] = test_login.sign(g, test_login.challenge_of(page))
    _, parameters = test_login.redirect(j.ask("loginSubmit", body=body, media=media, headers=cookie, want=303))
    tokens = app.code(parameters["code"], redirect_uri=test_login.CALLBACK)
    check.equal(j.spec.problems({"$ref": "#/components/schemas/Token"}, tokens.json()), [], "token: of a person")
    token = tokens.json()["access_token"]

    def ask(name, values=None, query=None, want=200, **more):
        path = j.path(name, values or {})
        answer = j.ask(name, values, query, headers={"Authorization": f"DPoP {token}", "DPoP": app.proof(j.table[name][0], path, token)}, want=want, **more)
        app.noted(answer)
        return answer
    ask("personGet")
    alert = {"id": ask("personGet").json()["alerts"][0]["id"]}
    body, media = j.example("alertAnswer")
    ask("alertAnswer", alert, body=body, media=media)
    ask("alertAnswer", alert, body={"answer": "me"}, media=media, want=409, label="another answer")
    ask("alertAnswer", alert, body={"answer": "perhaps"}, media=media, want=422, label="another word", bad_request=True)
    mandate = ask("personGet", like_example=False).json()["representations"][0]["id"]
    ask("representationEnd", {"id": mandate}, want=204)
    ask("representationEnd", {"id": "rep-01k00000000000000000000000"}, want=404, label="of nobody")
    ask("trackGet", query={"case": ask("personGet").json()["cases"][0]["case"]}, label="by login", like_example=False)
    ask("permissionList", query={"case": "case-01k00000000000000000000000"}, want=404, label="a case of nobody")
    ask("trackDocument", {"id": document}, label="a paper")
    walk_account(j, ask)
    other, (_, more) = test_login.login(g, second := test_login.App(g))
    second.code(more["code"])
    shown = ask("personGet").json()["sessions"]
    ask("sessionEnd", {"id": next(s["id"] for s in shown if not s["this"])}, want=204)
    ask("sessionEnd", {"id": "ses-01k00000000000000000000000"}, want=404, label="of nobody")
    body, media = j.example("tokenRevoke")
    body.update(client_assertion=g.assertion("app"), token=tokens.json()["refresh_token"])
    j.ask("tokenRevoke", body=body, media=media, want=200)
    ask("personGet", want=401, label="after the end")


def walk_advice(j, g):
    """Scenarios 4, 5 and 8 as an insurer's clerk asks them."""
    body, media = j.example("motorAdvice")
    rider = j.ask("motorAdvice", body=body, media=media, token=g.token("l1"), want=200).json()
    check.equal((rider["fits"]["medical"], rider["nhi"]["headroom"], rider["answers"]["vehicles"]), (65320, 134680, [0]), "scenario 4")
    dead = {"accident_on": "2026-06-01", "vehicles": ["insured", "uninsured"], "person": {"place": "outside"}, "died": True, "heirs": ["spouse", "child", "child", "sibling"]}
    shown = j.ask("motorAdvice", body=dead, media=media, token=g.token("l1"), want=200, label="scenario 5", like_example=False).json()
    check.equal((shown["heirs"]["shares"], shown["answers"]["fund"], shown["answers"]["joint"]), ([666667, 666667, 666666, 0], True, True), "scenario 5")
    two = {**dead, "died": False, "heirs": [], "disabilities": [7, 9], "paid_before": {"medical": 200000}}
    shown = j.ask("motorAdvice", body=two, media=media, token=g.token("l1"), want=200, label="scenario 8", like_example=False).json()
    check.equal((shown["disability"]["amount"], shown["disability"]["rule"]["number"], shown["nhi"]["headroom"]), (900000, "CALI-S-4-3", 0), "scenario 8")
    two["disabilities"] = [16]
    j.ask("motorAdvice", body=two, media=media, token=g.token("l1"), want=422, label="a grade that there is not", bad_request=True)


def walk_refusals(j, g):
    """What every operation refuses alike, by its description: no credentials, no scope, another media type, an id that is nobody's or none."""
    for name, (_, path, operation) in j.table.items():
        security, has_body = operation["security"], "requestBody" in operation
        body, media = (b"{}", JSON) if has_body else (None, None)
        headers = dict(REQUIRED) if has_body else {}
        scopes = security[0].get("clientToken") if security else None
        if security:
            j.ask(name, body=body, media=media, headers=headers, want=401, label="no credentials", bad_request=True)
        if scopes and scopes[0] != "attachments:write":
            j.ask(name, body=body, media=media, headers=headers, token=g.token(WITHOUT_SCOPE.get(scopes[0], "k1")), want=403, label="no scope", bad_request=True)
        token = g.token(WITH_SCOPE[scopes[0]] if scopes else "h1") if scopes is not None else None
        if has_body and "*/*" not in operation["requestBody"]["content"]:
            j.ask(name, body=b"{}", media="text/plain", headers=headers, token=token, want=415, label="another media type", bad_request=True)
        if has_body and JSON in operation["requestBody"]["content"]:
            j.ask(name, body=b"{", media=JSON, headers=headers, token=token, label="malformed JSON", bad_request=True)
            refused = j.ask(name, body=b"[]", media=JSON, headers=headers, token=token, label="a list", bad_request=True)
            check.that(refused.status >= 400, f"{name}: a list instead of an object is refused")
            j.ask(name, body=b"{}", media=JSON, headers=headers, token=token, label="an empty object", bad_request=True)
            if "{id}" not in path:
                body_more = {**j.example(name, JSON)[0], "unheard-of": 1} if spec_examples(j, operation) else {"unheard-of": 1}
                refused = j.ask(name, body=compact(body_more), media=JSON, headers=headers, token=token, label="a member too many", bad_request=True)
                check.that(refused.status in (400, 422), f"{name}: an unknown member is refused, not ignored ({refused})")
        if has_body:
            too_large = raw_head(g, j.table[name][0], j.path(name, {}), media or JSON, headers, token, operation["requestBody"]["x-max-bytes"] + 1)
            check.equal(too_large, 413, f"{name}: one byte more than x-max-bytes")
        if "{id}" in path and "404" in operation["responses"]:
            j.ask(name, body=body, media=media, headers=headers, token=token, label="an id of nobody", bad_request=True)
            j.ask(name, {"id": "no-id"}, body=body, media=media, headers=headers, token=token, label="no id", bad_request=True)


def spec_examples(j, operation):
    return j.spec.examples(operation["requestBody"]["content"][JSON])


def raw_head(g, method, path, media, headers, token, length):
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway", f"Content-Type: {FORM if path.startswith(('/oauth2/', '/oid4vp/response/', '/login')) else media}", f"Content-Length: {length}", "Expect: 100-continue"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + ([f"Authorization: Bearer {token}"] if token else [])
    return raw_exchange(g.port, ("\r\n".join(lines) + "\r\n\r\n").encode())[0]


def main():
    spec, notices, world, platform, g = Spec(), Notices(), test_wallet.World(), test_mydata.Platform(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    outside = (world, *test_wallet.set_up(g, world))
    test_mydata.set_up(g, platform)
    with g:
        j = Judge(g, spec)
        keys = walk_open(j)
        walk_tokens(j, g)
        document = walk_documents(j, g)
        body, media = j.example("webhookCreate")
        body["url"] = notices.url
        endpoint = j.ask("webhookCreate", body=body, media=media, headers={"Idempotency-Key": "f" * 20}, token=g.token("l1"), want=201).json()
        j.ask("webhookCreate", body={"url": "ftp://insurer.example/"}, media=media, headers={"Idempotency-Key": "g" * 20}, token=g.token("l1"), want=422,
              label="another scheme", bad_request=True)
        j.ask("webhookList", token=g.token("l1"), want=200)
        filed = walk_filing(j, g)
        notices.judge(spec, keys, g.dir)
        walk_records(j, g, filed)
        walk_images(j, g, filed)
        walk_claim(j, g, filed, document)
        walk_person(j, g, filed)
        walk_rest(j, g)
        walk_presentation(j, g, outside)
        walk_mydata(j, g, platform)
        walk_login(j, g, document)
        walk_wallet_login(j, g, outside)
        walk_advice(j, g)
        walk_motor(j, g)
        walk_cover(j, g)
        walk_household(j, g)
        j.ask("webhookDelete", {"id": endpoint["id"]}, token=g.token("l1"), want=204)
        walk_refusals(j, g)
        for name in j.table:
            check.that(name in j.succeeded, f"{name}: no successful request ({sorted(j.statuses.get(name, []))})")
        check.equal(g.stop(), 0, "the gateway ends cleanly")
        log = g.log_text()
        check.that(not any(value in log for value in PERSONAL), "no personal value in the log")
    print(f"{len(j.table)} operations, {sum(len(s) for s in j.statuses.values())} pairs of operation and status")
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
