"""Signatures inside the gateway's profile, made by others' tools: XML-DSig by xmlsec1, CMS by `openssl cms`.

Published sets hold hardly any of them, so they are made here, as a folder of vectors of the same layout, and judged by `claimgate conformance signing`: each
good one must be accepted, and each that was altered afterwards, or made with what the profile does not take, refused.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("CLAIMGATE_BINARY", str(ROOT / "build" / "claimgate"))
DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
DIGESTS = {"256": "http://www.w3.org/2001/04/xmlenc#sha256", "384": MORE + "sha384", "512": "http://www.w3.org/2001/04/xmlenc#sha512", "1": DS + "sha1"}
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
KEYS = {"rsa": ("rsa", ["-newkey", "rsa:2048"]), "p256": ("ecdsa", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        "p384": ("ecdsa", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"])}
RECORD = '<record xmlns="urn:test:record" xmlns:x="urn:test:x" Id="r1">\n  <name>王小明</name>\n  <x:total unit="TWD">12.50</x:total>\n</record>'


def run(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, timeout=120, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{words[:3]}: {done.stderr.decode(errors='replace')[-600:]}")
    return done.stdout


def make_keys(work):
    for name, (_, options) in KEYS.items():
        run("openssl", "req", "-x509", *options, "-nodes", "-keyout", work / f"{name}.key", "-out", work / f"{name}.pem", "-days", "30", "-subj", f"/CN=test {name}",
            "-addext", "keyUsage=critical,digitalSignature,nonRepudiation")
        run("openssl", "x509", "-in", work / f"{name}.pem", "-outform", "DER", "-out", work / "xmldsig" / f"{name}.der")


# -- XML-DSig --

def signature_template(family, digest, c14n, reference, transforms, inside=""):
    listed = "".join(f'<ds:Transform Algorithm="{t}"/>' for t in transforms)
    return (f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{MORE}{family}-sha{digest}"/><ds:Reference URI="{reference}">'
            + (f"<ds:Transforms>{listed}</ds:Transforms>" if listed else "") +
            f'<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>'
            f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>{inside}</ds:Signature>")


def sign_xml(work, key, template):
    (work / "template.xml").write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + template)
    run("xmlsec1", "--sign", "--id-attr:Id", "urn:test:record:record", "--id-attr:Id", f"{DS}:Object", "--privkey-pem",
        f"{work / (key + '.key')},{work / (key + '.pem')}", "--output", work / "signed.xml", work / "template.xml")
    return (work / "signed.xml").read_text()


def documents(work):
    """(name, key, text, verdict)"""
    for key, (family, _) in KEYS.items():
        for digest in ("256", "384", "512"):
            for form, c14n in (("exclusive", EXCLUSIVE), ("inclusive", INCLUSIVE)):
                enveloped = RECORD.replace("</record>", signature_template(family, digest, c14n, "#r1" if digest == "384" else "", [DS + "enveloped-signature", c14n]) + "</record>")
                yield f"{key}-{digest}-{form}-enveloped", key, sign_xml(work, key, enveloped), "accept"
                inside = f'<ds:Object Id="o1">{RECORD}</ds:Object>'
                yield f"{key}-{digest}-{form}-enveloping", key, sign_xml(work, key, signature_template(family, digest, c14n, "#o1", [c14n], inside)), "accept"
    enveloped = DS + "enveloped-signature"
    good = sign_xml(work, "p256", RECORD.replace("</record>", signature_template("ecdsa", "256", EXCLUSIVE, "", [enveloped, EXCLUSIVE]) + "</record>"))
    yield "content-altered", "p256", good.replace("12.50", "12.5"), "reject"
    yield "name-altered", "p256", good.replace("王小明", "王大明"), "reject"
    yield "namespace-altered", "p256", good.replace("urn:test:x", "urn:test:y"), "reject"
    yield "element-added", "p256", good.replace("<name>", "<name/><name>"), "reject"
    yield "signed-info-altered", "p256", good.replace(DIGESTS["256"], DIGESTS["512"]), "reject"
    yield "certificate-of-another", "p256", re.sub(r"(<ds:X509Certificate>).*?(</ds:X509Certificate>)", lambda m: m[1] + other_certificate(work) + m[2], good, flags=re.S), "reject"
    yield "key-name-only", "p256", re.sub(r"<ds:X509Data>.*?</ds:X509Data>", "<ds:KeyName>test p256</ds:KeyName>", good, flags=re.S), "reject"
    yield "sha1", "rsa", sign_xml(work, "rsa", RECORD.replace("</record>", signature_template("rsa", "256", EXCLUSIVE, "", [enveloped, EXCLUSIVE])
                                  .replace(DIGESTS["256"], DIGESTS["1"]) + "</record>")), "reject"
    yield "with-comments", "rsa", sign_xml(work, "rsa", RECORD.replace("</record>", signature_template("rsa", "256", EXCLUSIVE + "WithComments", "", [enveloped]) + "</record>")), "reject"
    yield "part-only", "rsa", sign_xml(work, "rsa", f"<outer>{RECORD}" + signature_template("rsa", "256", EXCLUSIVE, "#r1", [EXCLUSIVE]) + "</outer>"), "reject"


def other_certificate(work):
    return base64.b64encode((work / "xmldsig" / "p384.der").read_bytes()).decode()


def make_xmldsig(work):
    cases = []
    for name, key, text, expect in documents(work):
        (work / "xmldsig" / f"{name}.xml").write_text(text)
        cases.append({"id": name, "files": [f"{name}.xml"], "expect": expect, "xmlsec_args": ["--trusted-der", f"{key}.der", "--enabled-key-data", "x509"]})
    (work / "xmldsig" / "cases.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cases))
    return cases


# -- CMS --

def make_cms(work):
    body = work / "cms" / "body.json"
    body.write_text('{"resourceType":"Bundle","total":12.50}')
    (work / "cms" / "altered.json").write_text('{"resourceType":"Bundle","total":12.5}')
    cases = []

    def add(name, expect, *options, content="body.json"):
        run("openssl", "cms", "-sign", "-binary", "-in", body, "-outform", "DER", "-out", work / "cms" / f"{name}.der", *options)
        case = {"id": name, "files": [f"{name}.der"], "expect": expect}
        cases.append(case if content is None else {**case, "content": content})

    def signer(key):
        return ["-signer", work / f"{key}.pem", "-inkey", work / f"{key}.key"]

    for key, digests in (("rsa", ("sha256", "sha384", "sha512")), ("p256", ("sha256",)), ("p384", ("sha384",))):
        for md in digests:
            add(f"{key}-{md}", "accept", *signer(key), "-md", md)
            add(f"{key}-{md}-cades", "accept", *signer(key), "-md", md, "-cades")
            add(f"{key}-{md}-bare", "accept", *signer(key), "-md", md, "-noattr")
            add(f"{key}-{md}-enveloping", "accept", *signer(key), "-md", md, "-nodetach", content=None)
            add(f"{key}-{md}-altered", "reject", *signer(key), "-md", md, content="altered.json")
    add("key-id", "accept", *signer("p256"), "-md", "sha256", "-keyid")
    add("two", "accept", *signer("p256"), *signer("rsa"), "-md", "sha256")
    add("streamed", "accept", *signer("rsa"), "-md", "sha256", "-nodetach", "-stream", content=None)
    add("pss", "accept", *signer("rsa"), "-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32")
    add("pss-salt", "reject", *signer("rsa"), "-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20")
    add("sha1", "reject", *signer("rsa"), "-md", "sha1")
    add("no-certificate", "reject", *signer("rsa"), "-md", "sha256", "-nocerts")
    add("detached-for-enveloping", "reject", *signer("rsa"), "-md", "sha256", content=None)
    add("enveloping-for-detached", "reject", *signer("rsa"), "-md", "sha256", "-nodetach")
    (work / "cms" / "cases.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cases))
    return cases


def judge(work, path, cases, profile, failures):
    done = subprocess.run([BINARY, "conformance", "signing", str(work.parent), "--set", path, "--profile", profile, "--list", "--json"], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    print(done.stdout.strip())
    if done.returncode != 0 or len(lines) != 1 or lines[0]["cases"] != len(cases) or lines[0]["agree"] != len(cases):
        failures.append(f"{path} {profile}: {len(cases)} cases\n{done.stderr[-4000:]}")


def main():
    if not shutil.which("xmlsec1") or not shutil.which("openssl"):
        print("xmlsec1 or openssl is not installed: skipped")
        return 77
    failures = []
    with tempfile.TemporaryDirectory() as top:
        work = pathlib.Path(top) / "sig"
        for name in ("xmldsig", "cms"):
            (work / name).mkdir(parents=True)
        make_keys(work)
        xml, cms = make_xmldsig(work), make_cms(work)
        judge(work, "sig/xmldsig", xml, "gateway", failures)
        judge(work, "sig/cms", cms, "gateway", failures)
    for text in failures:
        print("FAIL", text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
