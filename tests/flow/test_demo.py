"""claimgate demo, small: every process real, every refusal with its code, nothing lost, nothing left behind."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

BINARY = os.environ.get("CLAIMGATE_BINARY")
WEBHOOK_INSURERS = {"l2", "l3", "p1", "p2", "p3"}
CODES = {
    "one letter changed after signing": "digest-mismatch",
    "receipt with one digit changed": "signature-mismatch",
    "rogue CA with H1's code": "chain-untrusted",
    "H2 signs for H1": "signer-wrong-organisation",
    "text was signed as code page 950": "signed-bytes-transcoded",
    "CMS with SHA-1": "weak-digest",
    "consent made by the hospital": "permission-evidence",
    "expired certificate": "certificate-time",
    "revoked certificate (key compromise)": "certificate-revoked",
    "unknown content type": "media-type",
    "identifier used again, other content": "duplicate-document",
    "consent to a text that is not in force": "permission-text-unknown",
    "representative alone consents for a boy of 16": "permission-joint-needed",
    "decision without the insurer's signature": "decision-unsigned",
    "P3 opens a claim of L2": "not-found",
}


def processes_of(folder):
    """Processes whose command line names the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read()
        except OSError:
            continue
        if folder.encode() in line and int(pid) != os.getpid():
            found.append(int(pid))
    return found


def demo(folder, *words, **options):
    return subprocess.run([BINARY, "demo", *words], env=dict(os.environ, TMPDIR=folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False, **options)


def assert_clean(folder):
    limit = time.monotonic() + 5
    while processes_of(folder) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not processes_of(folder), "a process of the demo is left"
    assert not os.listdir(folder), "the demo left its folder"


def test_whole():
    with tempfile.TemporaryDirectory() as folder:
        run = demo(folder, "--documents", "20", "--json")
        assert run.returncode == 0, run.stdout + run.stderr
        assert_clean(folder)
    told = json.loads(run.stdout)
    assert told["ok"]
    recipients = {r["name"]: r for r in told["recipients"]}
    assert set(recipients) == WEBHOOK_INSURERS | {"l1"}
    for name, r in recipients.items():
        assert r["missing"] == 0 and r["unannounced"] == 0 and r["events"] > 0, r
        assert r["via"] == ("webhook" if name in WEBHOOK_INSURERS else "feed"), r
    l1, l2, p2, p3 = (recipients[n] for n in ("l1", "l2", "p2", "p3"))
    assert l1["view"] == "fixed_benefit_insurer" and l1["lines"]["yes"] == 0 and l1["diagnosis"]["yes"] > 0
    assert l2["view"] == "reimbursement_insurer" and l2["lines"]["yes"] > 0 and l2["originals"] > 0
    assert p2["attempts"] == p2["events"] + 2, "two answers with 503, each sent again"
    assert p3["median_us"] >= 3_000_000 > l2["median_us"], "the slow one does not slow the others"
    refused = {r["what"]: r for r in told["refused"]}
    for what, code in CODES.items():
        assert refused[what]["code"] == code and refused[what]["ok"], refused.get(what)
    assert all(s["ok"] for s in told["steps"])
    assert any("decides: approved" in s["step"] for s in told["steps"])
    totals = told["totals"]
    assert totals["documents_sent"] == totals["documents_accepted"] == 20 + 5
    assert totals["deliveries"] == sum(recipients[n]["events"] for n in WEBHOOK_INSURERS)


def test_interrupted():
    """SIGINT ends all processes and removes the folder."""
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([BINARY, "demo", "--documents", "500", "--quiet"], env=dict(os.environ, TMPDIR=folder), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            limit = time.monotonic() + 30
            while len(processes_of(folder)) < 11 and time.monotonic() < limit and run.poll() is None:
                time.sleep(0.05)
            assert len(processes_of(folder)) >= 11, "gateway, three hospitals, six insurers and the app run"
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=30)
        assert run.returncode == 130
        assert_clean(folder)


def test_killed():
    """Even when the conductor has no time to say so, its processes end with it."""
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([BINARY, "demo", "--documents", "500", "--quiet"], env=dict(os.environ, TMPDIR=folder), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as run:
            limit = time.monotonic() + 30
            while len(processes_of(folder)) < 11 and time.monotonic() < limit:
                time.sleep(0.05)
            run.kill()
        limit = time.monotonic() + 5
        while processes_of(folder) and time.monotonic() < limit:
            time.sleep(0.05)
        assert not processes_of(folder)


def test_usage():
    with tempfile.TemporaryDirectory() as folder:
        assert demo(folder, "--documents", "-1").returncode == 2
        assert demo(folder, "more").returncode == 2
        assert not os.listdir(folder)


if __name__ == "__main__":
    if not BINARY:
        print("CLAIMGATE_BINARY is not set")
        sys.exit(77)
    for test in (test_usage, test_whole, test_interrupted, test_killed):
        test()
        print("ok", test.__name__)
