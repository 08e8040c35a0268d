"""The registry's two operators: a change is proposed by one, approved by another, takes effect after the delay; tightening acts at once."""
import base64
import json
import pathlib
import shutil
import sys
import tempfile

from support import Checks, b64url, claimgate, compact, openssl, wait_until

checks = Checks()
folder = pathlib.Path(tempfile.mkdtemp(prefix="claimgate-registry-"))
config = folder / "data" / "claimgate.conf"


def operator(name):
    key = folder / f"{name}.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    key.chmod(0o400)
    point = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-64:]
    jwk = folder / f"{name}.jwk.json"
    jwk.write_text(json.dumps({"kty": "EC", "crv": "P-256", "x": b64url(point[:32]), "y": b64url(point[32:])}))
    return key, jwk


def command(*words, delay="1"):
    return claimgate(*words, "--config", config, "--set", f"registry.change_delay={delay}", check=False)


def propose(change, key, delay="1"):
    path = folder / "change.json"
    path.write_bytes(compact(change))
    return command("partner", "propose", path, "--operator", key, delay=delay)


def partners():
    return {p["code"]: p for p in json.loads(command("partner", "list").stdout)["data"]}


HOSPITAL = {"kind": "partner.put", "body": {"kind": "hospital", "code": "9901010016", "name_zh": "沙箱第一醫院", "scopes": ["system/Bundle.c"]}}


def main():
    (op1, jwk1), (op2, jwk2), (stranger, _) = operator("op1"), operator("op2"), operator("op3")
    one = claimgate("init", folder / "lonely", "--operators", jwk1, check=False)
    checks.equal(one.returncode, 2, "one operator is too few")
    claimgate("init", folder / "data", "--operators", f"{jwk1},{jwk2}")

    refused = propose(HOSPITAL, stranger)
    checks.equal(refused.returncode, 4, "a key that is not enrolled may not propose")
    checks.that(b"operator-unknown" in refused.stderr, "and is told why")
    proposed = propose(HOSPITAL, op1)
    checks.equal(json.loads(proposed.stdout)["state"], "proposed", "a loosening change waits")
    change = json.loads(proposed.stdout)["change"]
    checks.equal(partners(), {}, "nothing is in effect yet")
    same = command("partner", "approve", change, "--operator", op1)
    checks.that(same.returncode == 4 and b"change-approval" in same.stderr, "the proposer cannot approve")
    checks.equal(json.loads(command("partner", "approve", change, "--operator", op2).stdout)["state"], "approved", "the second operator can")
    twice = command("partner", "approve", change, "--operator", op2)
    checks.that(twice.returncode == 5 and b"change-state" in twice.stderr, "once")
    checks.that(wait_until(lambda: "9901010016" in partners(), 10), "the change takes effect after the delay")

    who = partners()["9901010016"]["id"]
    tight = propose({"kind": "partner.status", "subject": who, "body": {"status": "suspended"}}, op2)
    checks.equal(json.loads(tight.stdout)["state"], "effective", "suspending needs one operator and acts at once")
    checks.equal(partners()["9901010016"]["status"], "suspended", "the partner is suspended")
    loose = propose({"kind": "partner.status", "subject": who, "body": {"status": "active"}}, op1)
    checks.equal(json.loads(loose.stdout)["state"], "proposed", "lifting it needs two")
    broken = propose({"kind": "partner.put", "body": {"kind": "castle", "code": "1"}}, op1)
    checks.that(broken.returncode == 6 and b"schema-invalid" in broken.stderr, "a change that could never act is refused when proposed")

    # modes
    zero = command("partner", "list", delay="0")
    checks.that(zero.returncode != 0 and b"registry.change_delay" in zero.stderr, "no zero delay outside sandbox mode")
    claimgate("pki", "sandbox", folder / "pki")
    mixed = claimgate("serve", "--check", "--config", config, "--set", f"trust.file={folder}/pki/trust.json", check=False)
    checks.that(mixed.returncode != 0 and b"sandbox-root" in mixed.stderr, f"a sandbox root stops a production start {mixed.stderr[:300]}")
    unknown = claimgate("serve", "--check", "--config", config, "--set", "http.listn=1", check=False)
    checks.that(unknown.returncode != 0 and b"http.listen" in unknown.stderr, "an unknown setting is refused with the nearest name")
    return checks.done()


try:
    code = main()
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)
