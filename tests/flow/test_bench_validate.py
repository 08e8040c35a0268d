"""`claimgate bench validate`: a row for each size whose figures belong together, memory bounded, what is not here is named.  No timing is asserted."""
import glob
import json
import os
import sys

from support import Checks, claimgate

checks = Checks()
SHARED = os.environ.get("CLAIMGATE_SHARED", "")
# Other programs take their time: they are measured where somebody asks for them, not here.
QUIET = {"NODE_PATH": "/nonexistent", "HL7_CLASSPATH": ""}


def near(a, b):
    return abs(a - b) <= 0.02 * max(a, b) + 0.001


def run(*more):
    os.environ.update(QUIET)
    done = claimgate("bench", "validate", "--entries", "100", "--json", *more, check=False)
    checks.equal(done.returncode, 0, "the run succeeds: " + done.stderr.decode()[:300])
    return json.loads(done.stdout) if done.returncode == 0 else {"files": [], "skipped": {}}


def check_rows(rows, fields):
    checks.equal([row["entries"] for row in rows], [16, 100], "sizes rise, and end where --entries says")
    for row in rows:
        for field in fields:
            checks.that(row[field] > 0, f"{field} was measured")
        checks.that(near(row["us_per_entry"] * row["entries"], row["bytes"] / row["validator_base_mb_s"]), "time for an entry and rate are one figure")
        checks.that(1 < row["memory_factor"] <= 6, f"input, tree and validation take at most six times the input: {row['memory_factor']}")
        checks.that(500 < row["bytes"] / row["entries"] < 800, "entries have the size of everyday resources")


def main():
    alone = run()
    check_rows(alone["files"], ["reader_mb_s", "validator_base_mb_s", "jansson_mb_s"])
    checks.equal(sorted(alone["skipped"]), ["hl7", "medplum", "packs"], "what is not here is named")
    checks.that(all("is" in why for why in alone["skipped"].values()), "with the reason")
    core = glob.glob(os.path.join(SHARED, "definitions", "tw.gov.mohw.twcore-*.tgz"))
    if core:
        packed = run("--pack", core[0])
        check_rows(packed["files"], ["validator_packs_mb_s", "us_per_entry_packs"])
        checks.that("packs" not in packed["skipped"], "the profiles that the documents name are judged")
    bad = claimgate("bench", "validate", "--pack", "/nonexistent.pack", check=False)
    checks.equal(bad.returncode != 0 and b"/nonexistent.pack" in bad.stderr, True, "a pack that is not there is named")
    checks.equal(claimgate("bench", "validate", "more", check=False).returncode, 2, "further words are a usage error")
    return checks.done()


sys.exit(main())
