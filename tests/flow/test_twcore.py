"""TW Core's own document bundles (optional conformance data), signed by a key of the registry, are accepted as published.

Each holds four elements that are no FHIR R4 (a CodeableConcept where R4 has a code, an object where R4 has a list).  No fact of the case rests on them, so they
are findings.  A partner in strict mode is refused with just these places, and so is the same kind of error where a fact would rest on it."""
import json
import os
import pathlib
import sys

from support import Checks, Gateway, b64url, claimgate, compact, openssl

checks = Checks()
FOLDER = pathlib.Path(os.environ.get("CLAIMGATE_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared")) / "taiwan" / "examples" / "twcore"
HOSPITAL = {"kind": "hospital", "code": "0131060029", "name_zh": "醫院範例", "scopes": ["system/Bundle.c"], "options": {"token_binding": "off"}}


def change(g, body):
    path = g.dir / "change.json"
    path.write_bytes(compact(body))
    claimgate("partner", "propose", path, "--operator", g.pki / "op1.key", "--config", g.dir / "claimgate.conf")


def public_jwk(key):
    point = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-64:]
    return {"kty": "EC", "crv": "P-256", "x": b64url(point[:32]), "y": b64url(point[32:])}


def register(g):
    """The bundles' hospital, with a key that signs and one that logs in, neither with a certificate."""
    g.stop()
    change(g, {"kind": "partner.put", "body": HOSPITAL})
    listed = json.loads(claimgate("partner", "list", "--config", g.dir / "claimgate.conf").stdout)["data"]
    partner = next(p["id"] for p in listed if p["code"] == HOSPITAL["code"])
    for name, use in (("twcore", "sign"), ("twcore-client", "client")):
        key = g.pki / f"{name}.key"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        key.chmod(0o400)
        change(g, {"kind": "key.add", "subject": partner, "body": {"use": use, "jwk": public_jwk(key)}})
    g.partners["twcore"] = {**g.partners["h1"], "id": partner, "code": HOSPITAL["code"], "client_key": "pki/twcore-client.key"}
    g.start()


# What R4 says otherwise.
NOT_R4 = {
    "Bundle.entry[0].resource.confidentiality",
    "Bundle.entry[8].resource.telecom[0].system",
    "Bundle.entry[8].resource.address.type",
    "Bundle.entry[8].resource.hoursOfOperation",
}


def submit(g, body):
    path = g.dir / "bundle.json"
    path.write_bytes(body)
    name, value = claimgate("sign", "bundle", path, "--key", g.pki / "twcore.key").stdout.decode().strip().split(": ", 1)
    return g.call("POST", "/fhir/r4/Bundle", body, {"Content-Type": "application/fhir+json", name: value}, g.token("twcore"))


def findings(answer, severity):
    """Places of wrong types, from an outcome or from the outcome inside an answer."""
    body = answer.json()
    outcomes = [body] + [p["resource"] for p in body.get("parameter", []) if "resource" in p]
    issues = [i for o in outcomes for i in o.get("issue", [])]
    return {place for i in issues if i["severity"] == severity and "element-type" in json.dumps(i) for place in i.get("expression", [])}


def check_bundle(g, file):
    bundle = json.loads(file.read_bytes())
    patient = next(n for n, e in enumerate(bundle["entry"]) if e["resource"]["resourceType"] == "Patient")
    bundle["entry"][patient]["resource"]["gender"] = {"coding": [{"code": "male"}]}
    refused = submit(g, compact(bundle))
    checks.equal((refused.status, findings(refused, "error")), (422, {f"Bundle.entry[{patient}].resource.gender"}),
                 f"{file.name} with another such element that is read")
    answer = submit(g, file.read_bytes())
    if not checks.equal((answer.status, findings(answer, "warning")), (201, NOT_R4), f"{file.name} as published"):
        print(answer.body.decode())


def main():
    files = sorted(FOLDER.glob("Bundle-bun-document*.json"))
    if not files:
        print("the optional conformance data are not here")
        return 0
    with Gateway() as g:
        register(g)
        for file in files:
            check_bundle(g, file)
        g.stop()
        change(g, {"kind": "partner.put", "subject": g.partners["twcore"]["id"], "body": {**HOSPITAL, "options": {"token_binding": "off", "strict": "on"}}})
        g.start()
        refused = submit(g, files[0].read_bytes())
        checks.equal((refused.status, NOT_R4 <= findings(refused, "error")), (422, True), "as published, to a strict hospital")
    return checks.done()


sys.exit(main())
