"""`claimgate bench verify`: a line for each scope of a format, whose figures belong together.  No timing is asserted."""
import json
import sys

from support import Checks, claimgate

checks = Checks()


def main():
    done = claimgate("bench", "verify", "--format", "jws-es256", "--json", check=False)
    checks.equal(done.returncode, 0, "the run succeeds: " + done.stderr.decode()[:300])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    checks.equal([(line["format"], line["scope"]) for line in lines], [("jws-es256", "signature"), ("jws-es256", "document")], "the JWS alone and the whole verdict")
    for line in lines:
        checks.that(line["per_second"] > 0 and line["raw_per_second"] > 0, "both were measured")
        checks.that(abs(line["share_percent"] - 100 * line["raw_us"] / line["ours_us"]) < 1, "the share is that of the two times")
        checks.equal(line["body_bytes"] > 4000, True, "the size is named")
    checks.equal(claimgate("bench", "verify", "--seconds", "0", check=False).returncode, 2, "no seconds is a usage error")
    return checks.done()


sys.exit(main())
