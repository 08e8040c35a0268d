"""TW Core's own document bundles (optional conformance data), signed by a key of the registry.

As published each holds four elements that are no FHIR R4 (a CodeableConcept where R4 has a code, an object where R4 has a list): they are refused with
just those places.  With the four put right they are accepted."""
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


# What R4 says otherwise, and how the element is put right.
NOT_R4 = {
    "Bundle.entry[0].resource.confidentiality": lambda entry: mend_code(entry[0]["resource"], "confidentiality"),
    "Bundle.entry[8].resource.telecom[0].system": lambda entry: mend_code(entry[8]["resource"]["telecom"][0], "system"),
    "Bundle.entry[8].resource.address.type": lambda entry: mend_code(entry[8]["resource"]["address"], "type"),
    "Bundle.entry[8].resource.hoursOfOperation": lambda entry: mend_list(entry[8]["resource"], "hoursOfOperation"),
}


def mend_code(element, name):
    element[name] = element[name]["coding"][0]["code"]


def mend_list(element, name):
    element[name] = [element[name]]


def submit(g, body):
    path = g.dir / "bundle.json"
    path.write_bytes(body)
    name, value = claimgate("sign", "bundle", path, "--key", g.pki / "twcore.key").stdout.decode().strip().split(": ", 1)
    return g.call("POST", "/fhir/r4/Bundle", body, {"Content-Type": "application/fhir+json", name: value}, g.token("twcore"))


def check_bundle(g, file):
    refused = submit(g, file.read_bytes())
    places = {place for issue in refused.json().get("issue", []) if issue["severity"] == "error" for place in issue["expression"]}
    checks.equal((refused.status, places), (422, set(NOT_R4)), f"{file.name} as published")
    bundle = json.loads(file.read_bytes())
    for mend in NOT_R4.values():
        mend(bundle["entry"])
    answer = submit(g, compact(bundle))
    if not checks.equal(answer.status, 201, f"{file.name} with the four put right"):
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
    return checks.done()


sys.exit(main())
