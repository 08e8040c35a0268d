"""`claimgate bench submit`: the figures are complete, every document that was sent was accepted, and the set is named.  No timing is asserted."""
import json
import re
import sys

from support import Checks, claimgate

checks = Checks()
FIELDS = ["accepted_per_s", "es256_verify_per_s", "ratio_one_core", "fdatasync_per_s", "p50_ms", "p99_ms", "rss_mb", "server_cpu_us_per_bundle"]


def run():
    done = claimgate("bench", "submit", "--seconds", "1", "--seed", "7", "--connections", "16", "--json", check=False)
    checks.equal(done.returncode, 0, "the run succeeds: " + done.stderr.decode()[:300])
    return json.loads(done.stdout) if done.returncode == 0 else None


def main():
    result = run()
    if result:
        for field in FIELDS:
            checks.that(isinstance(result.get(field), (int, float)) and result[field] > 0, f"{field} is a positive number")
        checks.equal(result["documents"], result["sent"], "every document that was sent was accepted")
        checks.that(result["documents"] > 0, "documents were sent")
        checks.that(9200 <= result["document_bytes"] <= 9800, "documents have the size that is named")
        checks.equal(result["seed"], 7, "the seed is named")
        checks.that(re.fullmatch("[0-9a-f]{64}", result["documents_sha256"]), "the set has a digest")
        checks.that(result["p50_ms"] <= result["p99_ms"], "the median is not above the 99th percentile")
        share = result["accepted_per_s"] / result["es256_verify_per_s"]
        checks.that(abs(share - result["ratio_one_core"]) < 0.001, "the ratio is that of the two figures")
    checks.equal(claimgate("bench", "submit", "--seconds", "0", check=False).returncode, 2, "no seconds is a usage error")
    return checks.done()


sys.exit(main())
