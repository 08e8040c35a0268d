#!/usr/bin/env python3
"""Forms of signature beside the headers: a FHIR XML document inside a ds:Signature, and a Bundle.signature as Da Vinci CDex has it."""
import sys

from support import *

XML = "application/fhir+xml"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
TEMPLATE = (f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
            '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#object"><ds:Transforms>'
            f'<ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/>'
            '</ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>'
            '<ds:Object Id="object">%s</ds:Object></ds:Signature>')
check = Checks()


def enveloping(g, text):
    """A new document that holds the other, signed by xmlsec1."""
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        (work / "template.xml").write_text(TEMPLATE % re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", text))
        subprocess.run(["xmlsec1", "--sign", "--id-attr:Id", f"{DS}:Object", "--privkey-pem", f"{g.pki}/h1.key,{g.pki}/h1.crt", "--output", work / "signed.xml",
                        work / "template.xml"], check=True, capture_output=True)
        return (work / "signed.xml").read_bytes()
    finally:
        shutil.rmtree(work)


def test_xml_inside_a_signature(g, documents):
    d = next(d for d in documents if d.is_xml and d.author == "h1")
    body = enveloping(g, d.body.decode())
    answer = g.call("POST", "/fhir/r4/Bundle", body, {"Content-Type": XML}, g.token("h1"))
    if not check.equal(answer.status, 201, "a document inside a ds:Signature is accepted"):
        print(answer)
        return
    back = g.call("GET", f"/fhir/r4/Bundle/{answer.parameter('document')}", token=g.token("h1"), headers={"Accept": XML})
    check.that(back.status == 200 and back.body == body, "the bytes as they were signed")
    altered = body.replace(b"urn:uuid:", b"urn:uuld:", 1)
    check.equal(g.call("POST", "/fhir/r4/Bundle", altered, {"Content-Type": XML}, g.token("h1")).code(), "digest-mismatch", "altered inside")


def bundle_signed(g, document, who, at="now"):
    """Detached JWS over the canonical form less id, meta, signature; numbers of the samples are short, so that json prints them as RFC 8785 does."""
    bundle = json.loads(document)
    unsigned = {name: value for name, value in bundle.items() if name not in ("id", "meta", "signature")}
    certificate = base64.b64encode(certificate_der(f"{g.pki}/h1.crt")).decode()
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) if at == "now" else at
    header = b64url(compact({"alg": "RS256", "sigT": when, "typ": "JOSE", "x5c": [certificate]}))
    payload = b64url(json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    signature = b64url(openssl("dgst", "-sha256", "-sign", f"{g.pki}/h1.key", data=f"{header}.{payload}".encode()))
    bundle["signature"] = {"type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.5"}], "when": when,
                           "who": {"identifier": {"value": who}}, "targetFormat": "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#document",
                           "sigFormat": "application/jose", "data": base64.b64encode(f"{header}..{signature}".encode()).decode()}
    return json.dumps(bundle, ensure_ascii=False).encode()


def test_bundle_signature(g, documents):
    d = next(d for d in documents if not d.is_xml and d.author == "h1" and "receipt" in d.name)
    json_type = {"Content-Type": "application/fhir+json"}
    cases = [("altered", bundle_signed(g, d.body, "9901010016").replace(b'"type": "document"', b'"type": "document", "total": 1', 1), "signature-mismatch"),
             ("before the certificate", bundle_signed(g, d.body, "9901010016", "2020-10-23T04:54:56Z"), "time-invalid"),
             ("somebody else is named", bundle_signed(g, d.body, "9901010027"), "signer-not-named")]
    for name, body, code in cases:
        check.equal(g.call("POST", "/fhir/r4/Bundle", body, json_type, g.token("h1")).code(), code, f"Bundle.signature: {name}")
    body = bundle_signed(g, d.body, "9901010016")
    answer = g.call("POST", "/fhir/r4/Bundle", body, json_type, g.token("h1"))
    if not check.equal(answer.status, 201, "Bundle.signature alone is accepted"):
        print(answer)


def main():
    if not shutil.which("xmlsec1"):
        print("xmlsec1 is not installed: skipped")
        return 77
    with Gateway() as g:
        documents = g.samples("1..12")
        test_xml_inside_a_signature(g, documents)
        test_bundle_signature(g, documents)
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
