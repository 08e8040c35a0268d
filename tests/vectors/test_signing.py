"""Signature formats and canonical forms over the published vectors: no wrong accept, no wrong reject, no wrong value.

The vectors are optional conformance data (CLAIMGATE_SHARED); without them the test is skipped.  EXPECTED says for each set how many cases must agree at
least, so that a set which is refused as a whole cannot pass; the rest of a set must be refusals by a code of our policy, open, or skipped.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("CLAIMGATE_BINARY", str(ROOT / "build" / "claimgate"))
VECTORS = pathlib.Path(os.environ.get("CLAIMGATE_SHARED", ROOT.parent / "shared")) / "vectors"
WRONG = ("wrong_accept", "wrong_reject", "wrong_value")
PARTS = ("agree", *WRONG, "policy_reject", "either", "skipped")

# set, profile: cases that agree at least
EXPECTED = {
    ("sig/wycheproof", None): 2013,
    ("sig/jose-cookbook", None): 4,
    ("sig/rfc7515-rfc7520", None): 12,
    ("sig/smart-health-cards", None): 18,
    ("sig/cms", None): 4,
    ("sig/fhir-dsig", None): 3,
    ("sig/xmldsig", "interop"): 48,  # 35 with RSA or ECDSA and SHA-2, 3 more whose certificate is named by SHA-3, 10 refusals
    ("sig/xmldsig", "gateway"): 10,
    ("sig/xml-wrapping", "interop"): 20,
    ("sig/xml-wrapping", "gateway"): 19,
    ("sig/xml-c14n", None): 84,
    ("sig/sd-jwt", None): 340,
    ("sig/token-status-list", None): 12,
    ("canon/jcs", None): 6,
    ("canon/jcs-numbers", None): 5000,
}


def run(path):
    done = subprocess.run([BINARY, "conformance", "signing", str(VECTORS), "--set", path, "--list", "--json"], capture_output=True, text=True, timeout=300)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def check_set(path, failures):
    done, lines = run(path)
    if done.returncode not in (0, 11) or not lines:
        failures.append(f"{path}: the run ended with {done.returncode}: {done.stderr[-400:]}")
    for line in lines:
        print(json.dumps(line))
        key = (path, line.get("profile"))
        wrong = {name: line[name] for name in WRONG if line[name] != 0}
        if wrong:
            failures.append(f"{key}: {wrong}\n" + "\n".join(l for l in done.stderr.splitlines() if ": wrong " in l)[:4000])
        if sum(line[name] for name in PARTS) != line["cases"]:
            failures.append(f"{key}: the outcomes do not add up to the cases")
        if line["agree"] < EXPECTED.get(key, sys.maxsize):
            failures.append(f"{key}: {line['agree']} agree, {EXPECTED.get(key)} are expected")
    missing = {key for key in EXPECTED if key[0] == path} - {(path, line.get("profile")) for line in lines}
    failures.extend(f"{key}: no line" for key in missing)


def main():
    if not VECTORS.is_dir():
        print("optional conformance data is not here (CLAIMGATE_SHARED): skipped")
        return 77
    failures = []
    for path in dict.fromkeys(key[0] for key in EXPECTED):
        check_set(path, failures)
    for text in failures:
        print("FAIL", text)
    print(f"{len(EXPECTED)} sets, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
