"""`claimgate bench motor`: the fields are there and belong together.  No timing is asserted."""
import json
import sys

from support import Checks, claimgate

checks = Checks()
RATES = ["filings_per_s", "copy_filings_per_s", "ratio", "mb_per_s", "copy_mb_per_s", "rss_start_mb", "rss_tenth_mb", "rss_half_mb", "rss_end_mb",
         "server_cpu_ms_per_filing", "seconds"]


def main():
    done = claimgate("bench", "motor", "--filings", "3", "--connections", "2", "--json", check=False)
    checks.equal(done.returncode, 0, "every photo and filing is answered with 201: " + done.stderr.decode()[:300])
    if done.returncode == 0:
        result = json.loads(done.stdout)
        for field in RATES:
            checks.that(isinstance(result.get(field), (int, float)) and result[field] > 0, f"{field} is a positive number")
        checks.equal((result["filings"], result["photos"], result["photo_bytes"], result["connections"]), (3, 10, 2_000_000, 2), "what was sent is named")
        checks.that(abs(result["ratio"] - result["filings_per_s"] / result["copy_filings_per_s"]) < 0.01, "the ratio is that of the two rates")
        checks.that(abs(result["mb_per_s"] - result["filings_per_s"] * 20) < 0.2, "megabytes are those of ten photos")
    checks.equal(claimgate("bench", "motor", "--filings", "1", check=False).returncode, 2, "too few is a usage error")
    return checks.done()


sys.exit(main())
