#!/usr/bin/env python3
"""Published certificate, revocation and time-stamp vectors: no wrong accept outside the browsers' rules, and each
case that does not agree stands in docs/conformance.md with its reason.  Skips without the vectors."""
import json, os, pathlib, subprocess, sys

SETS = ["sig/pkits", "sig/x509-limbo", "sig/x509-limbo#webpki", "sig/x509-chains", "sig/x509-crl", "sig/x509-ocsp",
        "sig/rfc3161"]
binary, source = os.environ["CLAIMGATE_BINARY"], pathlib.Path(os.environ["CLAIMGATE_SOURCE"])
vectors = pathlib.Path(os.environ.get("CLAIMGATE_SHARED", source.parent / "shared")) / "vectors"
explained = (source / "docs" / "conformance.md").read_text(encoding="utf-8")
failures, ran = [], 0
for name in SETS:
    if not (vectors / name.split("#")[0]).is_dir():
        continue
    run = subprocess.run([binary, "conformance", "signing", str(vectors), "--set", name, "--list", "--json"],
                         capture_output=True, text=True, timeout=120)
    if run.returncode not in (0, 11):
        failures.append(f"{name}: ended with {run.returncode}: {run.stderr[-300:]}")
        continue
    counts = json.loads(run.stdout)
    ran += 1
    print(run.stdout.strip())
    if counts["wrong_accept"] and not name.endswith("#webpki"):
        failures.append(f"{name}: {counts['wrong_accept']} accepted that must be refused")
    for line in run.stderr.splitlines():
        path, _, rest = line.partition(" ")
        case, _, what = rest.partition(": ")
        if path == name and not what.startswith(("either", "skipped")) and case not in explained:
            failures.append(f"{name}: {case} is not explained: {what}")
if ran == 0:
    print("no vectors here (CLAIMGATE_SHARED): skipped")
    sys.exit(77)
for failure in failures:
    print(failure)
sys.exit(1 if failures else 0)
