#!/usr/bin/env python3
"""A hospital's documents against the running gateway: 50 sets go in, duplicates, dry runs, corrections, look-ups, receipts checked offline, and every refusal."""
import sys

from support import *

JSON, XML = "application/fhir+json", "application/fhir+xml"
PLAIN = {"Content-Type": "application/json"}
PEOPLE = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen", "A180140004": "person-boy", "B280120005": "person-grandma"}
check = Checks()


def resource(document, kind):
    return next(entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind)


# -- what goes in --

def test_all_sets(g):
    documents = g.samples("1..50")
    check.equal(len({d.name[:3] for d in documents}), 50, "sets in the samples")
    for d in documents:
        answer = g.submit(d)
        if not check.equal(answer.status, 201, f"{d.name} is accepted") or not check.that(answer.parameter("receipt"), f"{d.name} has a receipt"):
            print(answer)
            continue
        check.equal(answer.parameter("signed-bytes"), len(d.body), f"{d.name}: bytes in the answer")
        check.equal(answer.parameter("signed-sha256"), sha256_hex(d.body), f"{d.name}: digest in the answer")
        check.that(answer.headers.get("etag") == 'W/"1"' and answer.headers["location"].endswith(answer.parameter("document")), f"{d.name}: Location and ETag")
        findings = answer.parameter("findings")
        check.that(findings["resourceType"] == "OperationOutcome" and not [i for i in findings["issue"] if i["severity"] in ("error", "fatal")],
                   f"{d.name}: only findings")
        d.receipt, d.submission, d.id, d.case = (answer.parameter(name) for name in ("receipt", "submission", "document", "case"))
    check.equal(len(g.cases()), 50, "one case a set")
    for seed in range(1, 51):
        check.equal(len({d.case for d in documents if d.name.startswith(f"{seed:03d}-")}), 1, f"the documents of set {seed} are in one case")
    return documents


def test_reading_back(g, documents):
    for d in documents[:6] + [d for d in documents if d.is_xml][:2]:
        answer = g.call("GET", f"/fhir/r4/Bundle/{d.id}", token=g.token(d.author))
        check.that(answer.status == 200 and answer.body == d.body, f"{d.name}: the bytes as they were signed")
        name = next(name for name in d.headers if name != "Content-Type")
        check.equal(answer.headers.get(name.lower()), d.headers[name], f"{d.name}: its signature")
        other = g.call("GET", f"/fhir/r4/Bundle/{d.id}", headers={"Accept": JSON if d.is_xml else XML}, token=g.token(d.author))
        check.equal((other.status, other.code()), (406, "not-acceptable"), f"{d.name}: no other representation")
        check.equal(g.call("GET", f"/fhir/r4/Bundle/{d.id}", token=g.token("h2" if d.author != "h2" else "h1")).status, 404, f"{d.name}: nobody else's")


def test_duplicates(g, documents):
    before = g.counts()
    for d in documents:
        answer = g.submit(d)
        check.equal((answer.status, answer.parameter("outcome")), (200, "duplicate"), f"{d.name} again")
        check.equal(answer.parameter("receipt"), d.receipt, f"{d.name} again: the original receipt, byte for byte")
        check.equal((answer.parameter("submission"), answer.parameter("document")), (d.submission, d.id), f"{d.name} again: the same ids")
    check.equal(g.counts(), before, "duplicates store nothing")


def test_other_sender(g, documents):
    """One document, two receptions: the vendor that may act for the clinic gets a receipt of its own, and that one again."""
    d = next(d for d in documents if d.author == "c1")
    first, second = g.submit(d, "v1"), g.submit(d, "v1")
    check.equal((first.status, first.parameter("document")), (200, d.id), "the vendor sends what the clinic sent before")
    check.that(first.parameter("receipt") != d.receipt, "the vendor has its own receipt")
    check.equal(second.parameter("receipt"), first.parameter("receipt"), "and the same again")


def test_added_signature(g, documents):
    """The institution's signature beside the doctor's."""
    d = next(d for d in documents if d.author == "h1" and "certificate" in d.name and not d.is_xml)
    answer = g.call("POST", "/fhir/r4/Bundle", d.body, g.signed(d.body, "h1"), g.token("h1"))
    check.equal((answer.status, answer.parameter("outcome"), answer.parameter("document")), (200, "signature-added", d.id), "a second valid signature")
    check.that(answer.parameter("receipt") not in (None, d.receipt), "a receipt of the added signature")
    bad = g.call("POST", "/fhir/r4/Bundle", d.body, g.signed(d.body, "rogue-h1"), g.token("h1"))
    check.equal((bad.status, bad.code()), (422, "chain-untrusted"), "a second signature that does not hold is refused, known document or not")


def test_dry_run(g):
    d = g.samples("60")[0]
    before = g.counts()
    answer = g.submit(d, query="?dry-run=true")
    check.equal((answer.status, answer.parameter("outcome")), (200, "dry-run"), "a dry run of a good document")
    check.equal((answer.parameter("signed-bytes"), answer.parameter("signed-sha256")), (len(d.body), sha256_hex(d.body)), "a dry run tells bytes and digest")
    check.that(answer.parameter("verdict") and "ok" in answer.parameter("verdict"), "a dry run tells the verdict")
    check.that(answer.parameter("receipt") is None and "location" not in answer.headers, "a dry run gives no receipt")
    bad = g.call("POST", "/fhir/r4/Bundle?dry-run=true", d.body, {"Content-Type": JSON}, g.token(d.author))
    check.equal((bad.status, bad.code()), (422, "signature-missing"), "a dry run of a document without signature")
    check.equal(g.counts(), before, "dry runs store nothing")
    check.equal(g.submit(d).status, 201, "the same document afterwards is new")
    unknown = g.submit(d, query="?dryrun=true")
    check.equal((unknown.status, unknown.code()), (400, "parameter"), "an unknown parameter is refused, not ignored")


def test_lookup(g):
    first, second = g.samples("61")[:2]
    reference = "H1-SEND-2026-000061"
    sent = g.submit(first, headers={"X-Sender-Reference": reference})
    check.equal(sent.status, 201, "a document with the sender's own reference")

    def lookup(body, who):
        return g.call("POST", "/v1/submissions:lookup", compact(body), PLAIN, g.token(who))
    for body in ({"reference": reference}, {"sha256": sha256_hex(first.body)}):
        found = lookup(body, first.author)
        check.equal((found.status, [row["receipt"] for row in found.json().get("data", [])]), (200, [sent.parameter("receipt")]), f"look-up by {next(iter(body))}")
        check.equal(lookup(body, "h2" if first.author != "h2" else "h1").status, 404, f"another's look-up by {next(iter(body))}")
    check.equal(lookup({"sha256": sha256_hex(second.body)}, second.author).status, 404, "look-up of what never came")
    identifier = first.json()["identifier"]
    query = urllib.parse.urlencode({"identifier": f"{identifier['system']}|{identifier['value']}"})
    found = g.call("GET", f"/fhir/r4/Bundle?{query}", token=g.token(first.author)).json()
    check.that(found["total"] == 1 and found["entry"][0]["fullUrl"].endswith(sent.parameter("document")), "search by identifier")
    check.equal(g.call("GET", f"/fhir/r4/Bundle?{query}", token=g.token("h2" if first.author != "h2" else "h1")).json()["total"], 0, "another's search by identifier")


def test_receipts(g, documents):
    keys = g.dir / "jwks.json"
    keys.write_bytes(g.call("GET", "/.well-known/jwks.json").body)
    for d in documents[:5] + documents[-3:]:
        receipt, proof, other = g.dir / "receipt.jws", g.dir / "proof.json", documents[10]
        receipt.write_text(d.receipt)
        fetched = g.call("GET", f"/v1/receipts/{d.submission}", token=g.token(d.author))
        check.equal((fetched.status, fetched.json().get("receipt")), (200, d.receipt), f"{d.name}: the receipt can be fetched")
        answer = g.call("GET", f"/v1/receipts/{d.submission}/proof", token=g.token(d.author))
        check.equal(answer.status, 200, f"{d.name}: the proof can be fetched")
        proof.write_bytes(answer.body)
        words = ["verify", "receipt", receipt, "--keys", keys, "--proof", proof]
        good = claimgate(*words, "--document", d.path, check=False)
        check.equal(good.returncode, 0, f"{d.name}: receipt, proof and document hold offline ({good.stderr.decode()[:200]})")
        check.that(claimgate(*words, "--document", other.path, check=False).returncode != 0, f"{d.name}: another document does not fit")
        check.equal(g.call("GET", f"/v1/receipts/{d.submission}", token=g.token("h2" if d.author != "h2" else "h1")).status, 404, f"{d.name}: nobody else's receipt")
        claims = json.loads(from_b64url(d.receipt.split(".")[1]))
        check.that(sha256_hex(d.body) in json.dumps(claims) or b64url(bytes.fromhex(sha256_hex(d.body))) in json.dumps(claims), f"{d.name}: the receipt names the digest")
    path = json.loads(proof.read_text())
    path["leaf_index"] += 1
    proof.write_text(json.dumps(path))
    check.that(claimgate(*words, check=False).returncode != 0, "a proof for another place does not hold")
    head, payload, signature = d.receipt.split(".")
    forged = json.loads(from_b64url(payload))
    forged["iss"] = "https://elsewhere.example"
    receipt.write_text(f"{head}.{b64url(compact(forged))}.{signature}")
    check.that(claimgate("verify", "receipt", receipt, "--keys", keys, check=False).returncode != 0, "an altered receipt does not hold")


# -- corrections --

def apply_for(g, d, insurers):
    """The person of this document files for these insurers; answer of the gateway."""
    patient = resource(d.json(), "Patient")
    person = {"identifiers": [{"system": i["system"], "value": i["value"]} for i in patient["identifier"] if i["value"] in PEOPLE],
              "name": patient["name"][0]["text"], "birth_date": patient["birthDate"]}
    visit = {"author": resource(d.json(), "Organization")["identifier"][0]["value"], "kind": "visit_no",
             "value": resource(d.json(), "Encounter")["identifier"][0]["value"]}
    application = application_of(person, [(code, "health", ["daily_hospital"], ["certificate", "receipt", "report"]) for code in insurers], [visit])
    signed = g.application(application, PEOPLE[person["identifiers"][0]["value"]])
    return g.call("POST", "/v1/applications", signed, PLAIN, g.token("app"))


def events_of(g, insurer, document=None):
    data = g.call("GET", "/v1/events?limit=200", token=g.token(insurer)).json()["data"]
    return [e["type"] for e in data if document is None or e.get("document") == document]


def test_correction(kind, seed_text):
    """A receipt that replaces an earlier one reaches whoever holds that, also after the permission ended.  A gateway of its own: one person, one case."""
    with Gateway() as g:
        documents = g.samples(seed_text)
        replacing = next((d for d in documents if "receipt-2" in d.name), None)
        if not check.that(replacing, f"{kind}: the set has a second receipt"):
            return
        first = [g.submit(d) for d in documents if d is not replacing]
        check.that(all(a.status == 201 for a in first), f"{kind}: the first papers")
        old = first[-1].parameter("document")
        filed = apply_for(g, documents[0], ["99000116", "99000220"])
        if not check.equal(filed.status, 201, f"{kind}: the application"):
            print(filed)
            return
        for insurer in ("l1", "l2"):
            check.that("document.available" in events_of(g, insurer, old), f"{kind}: {insurer} is told of the receipt")
        check.equal(events_of(g, "l3"), [], f"{kind}: l3 is told of nothing")
        withdraw(g, filed.json()["claims"][1]["permission"], documents[0])
        answer = g.submit(replacing)
        check.equal(answer.status, 201, f"{kind}: the second receipt")
        new = answer.parameter("document")
        check.that("document.corrected" in events_of(g, "l1", old), f"{kind}: l1 gets a notice about the receipt it holds")
        check.that("document.replaced" in events_of(g, "l1", new), f"{kind}: l1 gets the new receipt")
        check.that("document.corrected" in events_of(g, "l2"), f"{kind}: l2 gets the notice although the permission has ended")
        check.that("document.replaced" not in events_of(g, "l2"), f"{kind}: l2 does not get the new receipt")
        check.equal(events_of(g, "l3"), [], f"{kind}: l3 is still told of nothing")
        lonely = json.loads(replacing.body)
        lonely["identifier"]["value"] += "-x"
        resource(lonely, "Composition")["relatesTo"][0]["targetIdentifier"]["value"] = "never-seen"
        lonely = compact(lonely)
        refused = g.call("POST", "/fhir/r4/Bundle", lonely, g.signed(lonely, replacing.author), g.token(replacing.author))
        check.equal((refused.status, refused.code()), (422, "replaces-unknown"), f"{kind}: a correction of what never came")


def withdraw(g, permission, document):
    patient = resource(document.json(), "Patient")
    person = next(PEOPLE[i["value"]] for i in patient["identifier"] if i["value"] in PEOPLE)
    key = g.pki / f"{person}.key"
    certificate = base64.b64encode(certificate_der(g.pki / f"{person}.crt")).decode()
    signature = jws_es256(key, {"typ": "claimgate-withdrawal+jwt", "x5c": [certificate]}, compact({"withdraw": permission}))
    answer = g.call("POST", f"/v1/permissions/{permission}/withdraw", compact({"signature": signature}), PLAIN, g.token("app"))
    check.equal(answer.status, 200, f"the withdrawal ({answer})")


# -- refusals --

def first_error(outcome):
    return next((i for i in outcome["issue"] if i["severity"] in ("error", "fatal")), None)


class Refusal:
    """One row of the table.  place: text in location or expression.  position: line and column are told.  audited: the refusal is an audit row."""

    def __init__(self, name, status, code, place, body, headers, sender="h1", position=False, audited=True, found=True):
        self.name, self.status, self.code, self.place, self.body, self.headers, self.sender = name, status, code, place, body, headers, sender
        self.position, self.audited, self.found = position, audited, found


def refusals(g, known):
    """known: a document that is stored.  All others are made from sets that are not."""
    documents = g.samples("1..12", g.dir / "to-refuse")
    certificate = next(d for d in documents if "certificate" in d.name and not d.is_xml and d.author == "h1")
    xml = next(d for d in documents if d.is_xml and d.author == "h1")
    body = certificate.body
    altered = body.replace("急性".encode(), "慢性".encode(), 1)
    assert altered != body
    transcoded = g.sign(body.decode().encode("cp950"), "h1", cms=True)
    with_bom = b"\xef\xbb\xbf" + body
    broken = body[:500] + b'"' + body[500:]
    broken_xml = xml.body.replace(b"</Composition>", b"</Compositio>", 1)
    doctype = xml.body.replace(b"<Bundle", b'<!DOCTYPE Bundle [<!ENTITY a "b">]>\n<Bundle', 1)
    big5 = body.decode().encode("cp950")
    twice = body.replace(b'"type":"document"', b'"type":"document","type":"document"', 1)
    without = certificate.json()
    del resource(without, "Patient")["birthDate"]
    without = compact(without)
    category = certificate.json()
    resource(category, "Composition")["type"]["coding"][0]["code"] = "no-such-category"
    category = compact(category)
    reused = known.json()
    reused["timestamp"] = "2026-01-15T17:31:00+08:00"
    reused = compact(reused)
    own_key = g.dir / "own.json"
    own_key.write_bytes(body)
    name, value = claimgate("sign", "bundle", own_key, "--key", g.pki / "op1.key").stdout.decode().strip().split(": ", 1)
    signer, mismatch = "signer", "signerInfos[0].signedAttrs.messageDigest"
    rows = [
        Refusal("a byte altered under a JWS", 422, "signature-mismatch", "signature", altered, g.signed(body, "h1")),
        Refusal("a byte altered under a CMS", 422, "digest-mismatch", mismatch, altered, g.signed(body, "h1", cms=True)),
        Refusal("a rogue CA's certificate with H1's code", 422, "chain-untrusted", "certificate", body, g.signed(body, "rogue-h1")),
        Refusal("the same in a CMS", 422, "chain-untrusted", "certificate", body, g.signed(body, "rogue-h1", cms=True)),
        Refusal("H2 signs for H1", 422, "signer-wrong-organisation", signer, body, g.signed(body, "h2")),
        Refusal("a doctor of H2 signs for H1", 422, "professional-not-listed", signer, body, g.signed(body, "h2-dr-wu")),
        Refusal("an insurer signs a certificate", 422, "signer-wrong-kind", signer, body, g.signed(body, "l1")),
        Refusal("signed in code page 950", 422, "signed-bytes-transcoded", mismatch, body, {"Content-Type": JSON, transcoded[0]: transcoded[1]}),
        Refusal("SHA-1 in a CMS", 422, "weak-digest", "signerInfos[0].digestAlgorithm", body, g.signed(body, "h1", cms=True, digest="sha1")),
        Refusal("a byte order mark", 400, "byte-order-mark", None, with_bom, g.signed(with_bom, "h1"), position=True),
        Refusal("an expired certificate", 422, "certificate-time", "certificate", body, g.signed(body, "h1-expired")),
        Refusal("a revoked certificate", 422, "certificate-revoked", "certificate", body, g.signed(body, "h1-revoked")),
        Refusal("no signature", 422, "signature-missing", "signature", body, {"Content-Type": JSON}),
        Refusal("an unknown key", 422, "signer-unknown", "signature", body, {"Content-Type": JSON, name: value}),
        Refusal("a signature that is none", 422, "signature-malformed", None, body, {"Content-Type": JSON, "X-JWS-Signature": "abc"}),
        Refusal("malformed JSON", 400, "json-syntax", "/entry/0/resource", broken, g.signed(broken, "h1"), position=True),
        Refusal("a member twice", 400, "json-duplicate-name", None, twice, g.signed(twice, "h1"), position=True),
        Refusal("Big5 bytes", 400, "not-utf8", None, big5, g.signed(big5, "h1"), position=True),
        Refusal("malformed XML", 400, "xml-syntax", None, broken_xml, g.signed(broken_xml, "h1", XML), position=True),
        Refusal("XML with a DOCTYPE", 400, "xml-doctype", None, doctype, g.signed(doctype, "h1", XML), position=True),
        Refusal("a required element missing", 422, "element-missing", "Bundle.entry[1].resource", without, g.signed(without, "h1")),
        Refusal("an unknown category code", 422, "code-invalid", "Bundle.entry[0].resource.type", category, g.signed(category, "h1")),
        Refusal("an identifier used before", 409, "duplicate-document", "Bundle.identifier", reused, g.signed(reused, known.author), known.author),
        Refusal("an unknown content type", 415, "media-type", "content-type", body, {**certificate.headers, "Content-Type": "text/plain"}),
        Refusal("another charset", 415, "media-type", "content-type", body, {**certificate.headers, "Content-Type": f"{JSON}; charset=big5"}),
        Refusal("a compressed body", 415, "content-encoding", "content-encoding", body, {**certificate.headers, "Content-Encoding": "gzip"}),
        Refusal("the vendor sends for H1", 403, "sender-not-allowed", "Composition.custodian", body, certificate.headers, "v1"),
        Refusal("H2 sends H1's document", 403, "sender-not-allowed", "Composition.custodian", body, certificate.headers, "h2"),
    ]
    return rows


def check_refusal(g, row, lang, texts):
    label = f"{row.name} ({lang})"
    token = g.token(row.sender)
    before, cases = g.counts(), g.cases()
    answer = g.call("POST", "/fhir/r4/Bundle", row.body, {**row.headers, "Accept-Language": lang}, token)
    after = g.counts()
    if not check.equal(answer.status, row.status, label) or not check.equal(answer.media, JSON, f"{label}: form"):
        print(answer)
        return
    issue = first_error(answer.json())
    if not check.that(issue, f"{label}: an issue of severity error"):
        return
    check.equal(issue["details"]["coding"][0]["code"], row.code, f"{label}: code")
    text, remedy = texts[row.code]
    check.equal(issue["details"].get("text"), text, f"{label}: text in the caller's language")
    diagnostics = issue.get("diagnostics", "")
    check.that("expected: " in diagnostics, f"{label}: what was expected ({diagnostics})")
    check.that("found: " in diagnostics or not row.found, f"{label}: what was found ({diagnostics})")
    check.that(remedy in diagnostics, f"{label}: the remedy in the caller's language ({diagnostics})")
    check.equal(answer.headers.get("content-language"), lang, f"{label}: Content-Language")
    places = issue.get("location", []) + issue.get("expression", [])
    check.that(row.place is None or any(row.place in place for place in places), f"{label}: place {row.place} in {places}")
    check.that(not row.position or ("line " in diagnostics and "column " in diagnostics and "bytes " in diagnostics), f"{label}: position ({diagnostics})")
    shown = answer.body.decode()
    check.that(not any(value in shown for value in PERSONAL), f"{label}: no personal value in the answer")
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    check.equal(changed, {"refusals": 1} if row.audited else {}, f"{label}: nothing but the audit row is stored")
    check.equal(g.cases(), cases, f"{label}: the cases are as before")
    if row.audited:
        code, place, route, size = g.refusals()[-1]
        check.equal((code, route, size), (row.code, "bundleCreate", len(row.body)), f"{label}: audit row")


def test_refusals(g, documents):
    known = next(d for d in documents if "receipt" in d.name and not d.is_xml and d.author == "h1")
    rows = refusals(g, known)
    for lang in ("zh-TW", "en"):
        texts = outcomes(lang)
        for row in rows:
            check_refusal(g, row, lang, texts)


def test_too_large(g):
    """50 MB are refused on the head: no 100 Continue, no body asked for."""
    head = (f"POST /fhir/r4/Bundle HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {g.token('h1')}\r\nContent-Type: {JSON}\r\n"
            "Content-Length: 52428800\r\nExpect: 100-continue\r\n\r\n")
    before = g.counts()
    status, got = raw_exchange(g.port, head.encode())
    check.that(status == 413 and b"too-large" in got and b"100 Continue" not in got, f"50 MB: {status} {got[:200]}")
    status, got = raw_exchange(g.port, head.replace("Expect: 100-continue\r\n", "").encode())
    check.that(status == 413, f"50 MB without Expect: {status}")
    after = g.counts()
    check.equal(after.pop("refusals"), before.pop("refusals") + 2, "50 MB: an audit row each")
    check.equal(after, before, "50 MB: nothing else is stored")
    check.equal(g.refusals()[-1], ("too-large", "content-length", "bundleCreate", 52428800), "50 MB: what the audit row says")


def test_vendor(g):
    """The vendor may send for the clinic that lists it, not for the hospital."""
    d = next(d for d in g.samples("70..90") if d.author == "c1")
    answer = g.submit(d, "v1")
    check.equal(answer.status, 201, f"the vendor sends for the clinic ({answer})")


def main():
    with Gateway() as g:
        documents = test_all_sets(g)
        test_reading_back(g, documents)
        test_duplicates(g, documents)
        test_other_sender(g, documents)
        test_added_signature(g, documents)
        test_dry_run(g)
        test_lookup(g)
        test_receipts(g, documents)
        test_refusals(g, documents)
        test_too_large(g)
        test_vendor(g)
        check.equal(g.stop(), 0, "the gateway ends cleanly")
        log = g.log_text()
        check.that(not any(value in log for value in PERSONAL), "no personal value in the log")
    test_correction("corrected", "5")
    test_correction("refunded", "4")
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
