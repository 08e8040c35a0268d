#!/usr/bin/env python3
"""claimgate evidence export: one package of a case, written beside the running gateway, checked by a process that has only the package and public keys."""
import json
import pathlib
import sys
import tempfile
import zipfile

from support import Checks, Gateway, claimgate

check = Checks()


def verify(package, keys):
    done = claimgate("verify", "package", package, "--keys", keys, "--json", check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, [line for line in lines if "check" in line]


def rewritten(package, target, name, change):
    """A copy in which one file is changed, dropped (change gives None) or, for an unknown name, added."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            content = change(old.read(entry)) if entry == name else old.read(entry)
            if content is not None:
                new.writestr(entry, content)
        if name not in old.namelist():
            new.writestr(name, change(b""))
    return target


def two_operators(folder):
    """Where changes need two operators, so does an export."""
    with Gateway(settings=["registry.approvals=2", "sandbox=true"]) as g:
        case = g.submit(g.samples("1")[0]).parameter("case")
        config = ["--config", g.dir / "claimgate.conf", "--set", "registry.approvals=2", "--set", f"http.base_url={g.base_url}"]
        export = ["evidence", "export", case, *config, "--out"]
        done = claimgate(*export, folder / "no.zip", check=False)
        check.that(done.returncode != 0 and b"change-approval" in done.stderr, f"without a word of theirs {done.stderr.decode()[:300]}")
        asked = json.loads(claimgate("evidence", "request", case, "--reason", "評議 115-1", "--operator", g.pki / "op1.key", *config).stdout)
        check.equal(asked["state"], "proposed", "one operator asks")
        check.that(claimgate(*export, folder / "no.zip", check=False).returncode != 0, "one is not enough")
        approve = ["partner", "approve", asked["change"], *config, "--operator"]
        check.that(claimgate(*approve, g.pki / "op1.key", check=False).returncode != 0, "nor the same one twice")
        claimgate(*approve, g.pki / "op2.key")
        claimgate(*export, folder / "allowed.zip")
        with zipfile.ZipFile(folder / "allowed.zip") as z:
            said = json.loads(z.read("approval.json"))
        check.that(said["proposal"].count(".") == 2 and said["approval"].count(".") == 2, "the package holds both words")
        other = g.submit(g.samples("2", g.dir / "other")[0]).parameter("case")
        done = claimgate("evidence", "export", other, *config, "--out", folder / "no.zip", check=False)
        check.that(done.returncode != 0, "for that case only")


def main():
    with Gateway() as g, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        documents = g.samples("1")
        accepted = [g.submit(d) for d in documents]
        case, keys, package = accepted[0].parameter("case"), folder / "jwks", folder / "case.zip"
        keys.write_bytes(g.call("GET", "/.well-known/jwks.json").body)
        words = ["evidence", "export", case, "--config", g.dir / "claimgate.conf", "--set", f"http.base_url={g.base_url}"]
        claimgate(*words, "--out", package)
        with zipfile.ZipFile(package) as z:
            names = z.namelist()
            for d, answer in zip(documents, accepted):
                home = f"documents/{answer.parameter('document')}"
                body = z.read(f"{home}/original.{'xml' if d.is_xml else 'json'}")
                check.equal(body, d.body, f"{d.name}: the original, byte for byte")
                check.equal(z.read(f"{home}/receipt.jws").decode(), answer.parameter("receipt"), f"{d.name}: its receipt")
                header = next(value for name, value in d.headers.items() if name != "Content-Type")
                check.that(header in z.read(f"{home}/signature.headers").decode(), f"{d.name}: its signature as it came")
            check.that("原始檔案" in z.read("report.zh-TW.txt").decode() and "claimgate verify package" in z.read("report.en.txt").decode(), "a report in plain words")
            check.that({"permissions.json", "case.json", "keys.json", "manifest.json", "manifest.jws"} <= set(names), f"all parts are there {names}")
            home = f"documents/{accepted[0].parameter('document')}"
            (folder / "body").write_bytes(z.read(f"{home}/original.json"))
            (folder / "headers").write_bytes(z.read(f"{home}/signature.headers"))
        code, checks = verify(package, keys)
        check.equal((code, {c["result"] for c in checks}), (0, {"ok"}), f"the package holds {checks}")
        check.equal({c["check"] for c in checks}, {"package-signature", "package-list", "receipt-signature", "document-digest", "verdict-digest", "leaf", "head-signature",
                                                   "inclusion"}, "every check is made")
        trust = g.dir / "store" / "trust.json"
        trust = trust if trust.exists() else g.pki / "trust.json"
        check.equal(claimgate("verify", "bundle", folder / "body", "--headers", folder / "headers", "--trust", trust, "--sandbox", check=False).returncode, 0,
                    "an original of the package verifies with a trust list")
        for name, change in ((f"{home}/original.json", lambda b: b.replace(b"2026", b"2025", 1)), (f"{home}/verdict.json", lambda b: b + b" "),
                             (f"{home}/leaf.json", lambda b: b.replace(b'"salt":"', b'"salt":"00')), ("report.en.txt", lambda b: b + b"!"),
                             ("report.en.txt", lambda b: None), ("more.txt", lambda b: b"more"), ("manifest.json", lambda b: b.replace(b'"v":1', b'"v":2'))):
            code, checks = verify(rewritten(package, folder / "changed.zip", name, change), keys)
            check.that(code == 7 and [c for c in checks if c["result"] == "bad"], f"{name}: a change is found {checks}")
        (folder / "no.zip").write_bytes(package.read_bytes()[:-40])
        check.that(claimgate("verify", "package", folder / "no.zip", "--keys", keys, check=False).returncode not in (0, 7), "a torn package is none")
        check.equal(claimgate(*words, "--out", package, check=False).returncode != 0, True, "an existing file is not overwritten")
        words[2] = "case-01k00000000000000000000000"
        check.equal(claimgate(*words, "--out", folder / "none.zip", check=False).returncode, 3, "a case that is not there")
        two_operators(folder)
        check.that("相符" in claimgate("verify", "package", package, "--keys", keys, "--lang", "zh-TW").stdout.decode(), "in plain Chinese")
    return check.done()


sys.exit(main())
