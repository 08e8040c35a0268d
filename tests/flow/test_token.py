#!/usr/bin/env python3
"""The gateway's signing key in a PKCS#11 token (SoftHSM): receipts, heads and proofs by it hold by the JWKS, from the start, after a reload and
beside a key in a file.  Skips where SoftHSM is not installed."""
import sys
import tempfile

from support import *

MODULE = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")
               if os.path.exists(m)), None)
if not MODULE or not shutil.which("softhsm2-util"):
    print("SoftHSM (package softhsm2) is not installed")
    sys.exit(77)
check = Checks()


def softhsm(*words):
    done = subprocess.run(["softhsm2-util", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(done.stdout.decode())


def make_token(folder):
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    (folder / "pin").write_text("4321\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    softhsm("--init-token", "--free", "--label", "claimgate", "--pin", "4321", "--so-pin", "8765")


def key_into_token(folder, name):
    pem = folder / f"{name}.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", pem)
    softhsm("--import", pem, "--token", "claimgate", "--label", name, "--id", f"{sum(name.encode()) % 256:02x}", "--pin", "4321")
    thumbprint = ec_thumbprint(pem)
    pem.unlink()
    return thumbprint


def uri(folder, name):
    return f"pkcs11:token=claimgate;object={name}?module-path={MODULE}&pin-source=file:{folder}/pin"


def receipt_holds(g, folder, document, kid):
    answer = g.submit(document)
    receipt = answer.parameter("receipt")
    check.equal(json.loads(from_b64url(receipt.split(".")[0]))["kid"], kid, "signed by the token's key")
    (folder / "receipt").write_text(receipt)
    (folder / "keys").write_bytes(g.call("GET", "/.well-known/jwks.json").body)
    (folder / "proof").write_bytes(g.call("GET", f"/v1/receipts/{answer.parameter('submission')}/proof", token=g.token(document.author)).body)
    done = claimgate("verify", "receipt", folder / "receipt", "--keys", folder / "keys", "--proof", folder / "proof", check=False)
    check.equal(done.returncode, 0, f"receipt, head and proof hold {done.stdout.decode()}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_token(folder)
        kid = key_into_token(folder, "gateway")
        with Gateway(settings=[f"signing.key_file={uri(folder, 'gateway')}"]) as g:
            documents = g.samples("1..4")
            for d in documents[:3]:
                receipt_holds(g, folder, d, kid)
            check.that("reloaded" in g.control("reload"), "reloaded beside its own sessions")
            receipt_holds(g, folder, documents[3], kid)
            log = g.log_text()
            g.stop()
            g.start()
            receipt_holds(g, folder, documents[4], kid)
            check.that("4321" not in log and "4321" not in " ".join(g.words()), "no PIN in the log or on the command line")
            g.stop()
            done = claimgate("audit", "verify", "--config", g.dir / "claimgate.conf", "--set", f"signing.key_file={uri(folder, 'gateway')}",
                             "--set", f"http.base_url={g.base_url}", check=False)
            check.equal(done.returncode, 0, f"the audit reads its heads {done.stdout.decode()[-300:]}")
            for what, setting in (("a key that is not there", uri(folder, "nothing")), ("a PIN in the setting", uri(folder, "gateway") + "&pin-value=4321")):
                done = claimgate("serve", "--check", "--config", g.dir / "claimgate.conf", "--set", f"signing.key_file={setting}", check=False)
                check.that(done.returncode != 0 and b"pkcs11" in done.stderr, f"{what} stops the start {done.stderr.decode()[:200]}")
    return check.done()


sys.exit(main())
