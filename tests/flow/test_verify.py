#!/usr/bin/env python3
"""What a party holds is checked offline, by another process that has only public keys: receipts, proofs, heads, documents, certificates, webhooks.

Each good thing holds, each altered one is named by its check, and the exit code says so.
"""
import base64
import json
import pathlib
import secrets
import sys
import tempfile

from support import Checks, Gateway, b64url, claimgate, compact, openssl

check = Checks()


class Folder:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def put(self, name, content):
        file = self.path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file


def verify(*words):
    """(exit code, {check: result}, {check: code})"""
    done = claimgate("verify", *words, "--json", check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    checks = [line for line in lines if "check" in line]
    return done.returncode, {c["check"]: c["result"] for c in checks}, {c["check"]: c.get("code") for c in checks}


def flip(text, at):
    raw = bytearray(text.encode() if isinstance(text, str) else text)
    raw[at] ^= 1
    return bytes(raw)


def test_receipt(g, f, keys):
    documents = g.samples("1..6")
    first = g.submit(documents[0])
    receipt, submission = first.parameter("receipt"), first.parameter("submission")
    proof = g.call("GET", f"/v1/receipts/{submission}/proof", token=g.token(documents[0].author)).json()
    for d in documents[1:]:
        g.submit(d)
    size = proof["tree_size"]
    later = g.call("GET", f"/v1/log/consistency?first_size={size}").json()
    check.that(later["tree_size"] > size, "the log has grown")
    r, body, p, c = (f.put("r", receipt), f.put("b", documents[0].body), f.put("p", json.dumps(proof)), f.put("c", json.dumps(later)))
    code, results, _ = verify("receipt", r, "--keys", keys, "--document", body, "--proof", p, "--consistency", c)
    check.equal((code, results), (0, {"receipt-signature": "ok", "document-digest": "ok", "head-signature": "ok", "inclusion": "ok", "include-by": "ok",
                                      "other-head-signature": "ok", "consistency": "ok"}), "a receipt is proved against a later head")
    head = f.put("h", later["checkpoint"])
    check.equal(verify("receipt", r, "--keys", keys, "--proof", p, "--consistency", c, "--head", head)[0], 0, "the later head may come from somebody else")
    code, results, codes = verify("receipt", f.put("r2", flip(receipt, -9)), "--keys", keys)
    check.equal((code, results), (7, {"receipt-signature": "bad"}), "an altered receipt")
    code, results, codes = verify("receipt", r, "--keys", keys, "--document", f.put("b2", flip(documents[0].body, 100)))
    check.equal((code, codes["document-digest"]), (7, "digest-mismatch"), "other bytes than those that were sent")
    wrong = dict(proof, path=[base64.b64encode(flip(base64.b64decode(proof["path"][0]), 0)).decode(), *proof["path"][1:]])
    check.equal(verify("receipt", r, "--keys", keys, "--proof", f.put("p2", json.dumps(wrong)))[1]["inclusion"], "bad", "an altered path")
    wrong = dict(later, path=later["path"][:-1])
    check.equal(verify("receipt", r, "--keys", keys, "--proof", p, "--consistency", f.put("c2", json.dumps(wrong)))[1]["consistency"], "bad", "a shortened path between heads")
    check.equal(verify("receipt", r, "--keys", keys, "--proof", p, "--head", head)[1]["consistency"], "bad", "two heads without a proof between them")
    old = g.call("GET", f"/v1/receipts/{submission}/proof?tree_size={size}", token=g.token(documents[0].author)).json()
    check.equal((old["path"], old["tree_size"]), (proof["path"], size), "a proof in a tree of a former size")
    leaf = json.loads(base64.urlsafe_b64decode(receipt.split(".")[1] + "=="))["leaf"]
    check.equal(g.call("GET", f"/v1/receipts/{submission}/proof?leaf={leaf}", token=g.token("l1")).status, 200, "who has the receipt has the proof")
    check.equal(g.call("GET", f"/v1/receipts/{submission}/proof?leaf={'0' * 64}", token=g.token("l1")).status, 404, "who has not, has none")
    check.equal(g.call("GET", f"/v1/receipts/{submission}/proof", token=g.token("l1")).status, 404, "another partner without the receipt")
    for query in ("first_size=99999999", "first_size=5&tree_size=4", "first_size=x", "tree_size=99999999"):
        check.equal(g.call("GET", f"/v1/log/consistency?{query}").status, 400, f"{query} is refused")
    text = claimgate("verify", "receipt", r, "--keys", keys, "--document", body, "--lang", "zh-TW").stdout.decode()
    check.that("收據由閘道簽署" in text and "均相符" in text, "in plain Chinese")
    text = claimgate("verify", "receipt", r, "--keys", keys, "--document", f.path / "b2", "--lang", "zh-TW", check=False).stdout.decode()
    check.that("不符" in text and "應為" in text, "what does not hold too")
    return later


def test_log(g, f, keys, later):
    new, old = later["checkpoint"], g.call("GET", f"/v1/log/consistency?first_size=0&tree_size={later['first_size']}").json()["checkpoint"]
    n, o, c = f.put("new", new), f.put("old", old), f.put("cc", json.dumps(later))
    check.equal(verify("log", n, "--keys", keys, "--older", o, "--consistency", c)[0], 0, "a head continues an older one")
    check.equal(verify("log", o, "--keys", keys, "--older", n, "--consistency", c)[0], 0, "in either order")
    check.equal(verify("log", f.put("n2", flip(new, 30)), "--keys", keys)[1]["head-signature"], "bad", "an altered head")
    check.equal(verify("log", n, "--keys", keys, "--origin", "https://other.example")[1]["head-signature"], "bad", "another log's head")


def test_documents(g, f):
    trust = g.dir / "store" / "trust.json"
    trust = trust if trust.exists() else g.pki / "trust.json"
    for d in g.samples("1..3"):
        lines = "\n".join(f"{name}: {value}" for name, value in d.headers.items())
        code, results, _ = verify("bundle", f.put("doc", d.body), "--headers", f.put("lines", lines), "--trust", trust, "--sandbox")
        check.equal((code, results), (0, {"signature": "ok", "document-signatures": "ok"}), f"{d.name}: its signature holds")
        code, results, codes = verify("bundle", f.put("doc2", d.body.replace(b"2026", b"2025", 1)), "--headers", f.path / "lines", "--trust", trust, "--sandbox")
        check.that(code == 7 and codes["signature"] in ("digest-mismatch", "signature-mismatch"), f"{d.name}: altered after signing")
    check.equal(verify("bundle", f.path / "doc", "--trust", trust, "--sandbox")[2]["document-signatures"], "signature-missing", "no signature at all")
    for name, want in (("h1", 0), ("rogue-h1", 7)):
        code, results, codes = verify("chain", g.pki / f"{name}.crt", "--intermediate", g.pki / "hca.crt", "--trust", trust, "--sandbox")
        check.equal(code, want, f"{name}: {codes}")
    check.equal(verify("chain", g.pki / "h1.crt", "--trust", trust, "--sandbox", "--at", "2009-01-01T00:00:00Z")[2]["chain"], "certificate-time", "before it was valid")


def test_webhook(f):
    key, public = f.path / "hook.key", f.path / "hook.pub"
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    body, name, when = compact({"type": "document.available"}), f"evt_{secrets.token_hex(8)}", "1780000000"
    content = f.put("content", f"{name}.{when}.".encode() + body)
    signature = base64.b64encode(openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", content)).decode()
    headers = f.put("hh", f"webhook-id: {name}\nwebhook-timestamp: {when}\nwebhook-signature: v1a,{signature}\n")
    sent = f.put("hb", body)
    check.equal(verify("webhook", sent, "--headers", headers, "--keys", public)[0], 0, "a webhook's signature holds")
    check.equal(verify("webhook", f.put("hb2", body + b" "), "--headers", headers, "--keys", public)[0], 7, "another body")
    check.equal(verify("webhook", sent, "--headers", headers, "--keys", public, "--tolerance", "300")[1]["webhook-time"], "bad", "a replay")
    check.equal(verify("webhook", sent, "--headers", headers, "--keys", public, "--tolerance", "300", "--at", "2026-05-28T20:26:41Z")[0], 0, "near its time")


def main():
    with Gateway() as g, tempfile.TemporaryDirectory() as folder:
        f = Folder(folder)
        keys = f.put("jwks", g.call("GET", "/.well-known/jwks.json").body)
        later = test_receipt(g, f, keys)
        test_log(g, f, keys, later)
        test_documents(g, f)
        test_webhook(f)
    return check.done()


sys.exit(main())
