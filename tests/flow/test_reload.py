#!/usr/bin/env python3
"""Trust list, TLS certificate, signing keys, revocation policy and authority rules change in turn under load, each 16 times here and 1,000 with RELOAD_SWAPS=1000: no request
fails, no verdict is wrong, each receipt and each head holds by the JWKS.

Two trust lists take turns, both of which hold the hospitals' CA.  What is signed by a rogue CA or a revoked signer stays refused, what is good
stays good, whichever list and policy are in force.  Each new certificate and each new key is seen in use."""
import sys

from support import *

check = Checks()
PARTS = 5
SWAPS, CLIENTS = PARTS * int(os.environ.get("RELOAD_SWAPS", "16")), 2
KEYS = 7  # pairs that take turns; each comes back as a former key that signs again
OVERLAP = "overlap-keys.json"


def put(path, content):
    """As operators should: a new file and a rename."""
    fresh = path.with_suffix(".new")
    fresh.touch(0o600)
    fresh.write_bytes(content)
    fresh.chmod(0o400)
    fresh.rename(path)


def server_certificate(g):
    """Another certificate of the same name by the same CA: (chain, key)."""
    key, request = g.dir / "second.key", g.dir / "second.csr"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-addext", "extendedKeyUsage=serverAuth", "-addext", "keyUsage=critical,digitalSignature")
    leaf = openssl("x509", "-req", "-in", request, "-CA", g.pki / "tls.crt", "-CAkey", g.pki / "tls.key", "-set_serial", "0x7e57", "-days", "30", "-copy_extensions", "copyall")
    return leaf + (g.pki / "tls.crt").read_bytes(), key.read_bytes()


def key_pairs(g):
    """The pair that init made and others: [(signing, webhook)] as PEM."""
    pairs = [tuple((g.dir / "store" / name).read_bytes() for name in ("gateway.key", "webhook.key"))]
    for _ in range(KEYS - 1):
        pairs.append((openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), openssl("genpkey", "-algorithm", "ED25519")))
    return pairs


def jwks(g):
    return g.client().call("GET", "/.well-known/jwks.json").body


def shown(g):
    return [key["kid"] for key in json.loads(jwks(g))["keys"]]


class Token:
    """Asked for anew before it ends: a long run outlives many."""

    def __init__(self, g):
        self.g, self.lock, self.until = g, threading.Lock(), 0

    def now(self):
        with self.lock:
            if time.monotonic() > self.until:
                answer = self.g.ask_token("h1", client=self.g.client("h1-tls")).json()
                self.value, self.until = answer["access_token"], time.monotonic() + answer["expires_in"] / 2
            return self.value


class Swaps:
    """Each part's states, and that the new one is in use after the reload."""

    def __init__(self, g):
        self.g, self.done = g, 0
        whole = json.loads((g.pki / "trust.json").read_text())
        less = json.loads(json.dumps(whole))
        del less["uses"]["gca"]
        self.lists = [compact(less), compact(whole)]
        self.policies = [compact({"grace_hours": {"hospital": 24}, "cool_down_hours": 1, "cool_down_level": "verified-crl"}), compact({"grace_hours": {"hospital": 72}})]
        self.certificates = [server_certificate(g), ((g.pki / "server.chain.pem").read_bytes(), (g.pki / "server.key").read_bytes())]
        self.keys = key_pairs(g)
        rules = authority_rules()
        narrow = [{**rule, "organisations": ["9902*"]} if rule["kind"] == "receipt" else rule for rule in rules]
        self.rules = [compact({"rules": narrow}), compact({"rules": rules})]

    def trust(self, n):
        put(self.g.pki / "trust.json", self.lists[n % 2])

    def policy(self, n):
        put(self.g.dir / "policy.json", self.policies[n % 2])

    def authority(self, n):
        """One of the two lets only another hospital sign receipts."""
        put(self.g.dir / "authority.json", self.rules[n % 2])
        want = "signer-wrong-organisation" if n % 2 == 0 else 200

        def seen():
            answer = self.g.client("h1-tls").call("POST", "/fhir/r4/Bundle?dry-run=true", self.receipt.body, self.receipt.headers, self.token.now())
            return (answer.status if answer.status == 200 else answer.code()) == want
        return seen

    def certificate(self, n):
        chain, key = self.certificates[n % 2]
        put(self.g.pki / "server.chain.pem", chain)
        put(self.g.pki / "server.key", key)
        want = ssl.PEM_cert_to_DER_cert(re.search(b"-----BEGIN.*?-----END CERTIFICATE-----", chain, re.S).group(0).decode())

        def seen():
            with socket.create_connection(("127.0.0.1", self.g.port)) as plain, self.context().wrap_socket(plain) as s:
                return s.getpeercert(True) == want
        return seen

    def context(self):
        context = ssl.create_default_context(cafile=str(self.g.pki / "root.crt"))
        context.check_hostname = False
        return context

    def key(self, n):
        """What the JWKS says before the change is what is kept."""
        before = jwks(self.g)
        put(self.g.dir / "store" / OVERLAP, before)
        for name, pem in zip(("gateway.key", "webhook.key"), self.keys[(n + 1) % KEYS]):
            put(self.g.dir / "store" / name, pem)
        old = {key["kid"] for key in json.loads(before)["keys"]}
        first = json.loads(before)["keys"][0]["kid"]

        def seen():
            now = shown(self.g)
            return now[0] != first and old <= set(now)
        return seen

    def run(self, i):
        parts = (self.trust, self.certificate, self.key, self.policy, self.authority)
        part = parts[i % len(parts)]
        seen = part(i // len(parts))
        answer = self.g.control("reload")
        check.that("reloaded" in answer, f"reload {i}: {part.__name__}: {answer}")
        check.that(seen is None or seen(), f"reload {i}: the new {part.__name__} is in use")
        self.done += 1


def judge(g, cases, stop, token, counts):
    """Verdicts; a connection of its own now and then sees the TLS certificate of this moment."""
    client = g.client("h1-tls")
    i = 0
    while not stop.is_set():
        name, body, headers, want = cases[i % len(cases)]
        i += 1
        answer = client.call("POST", "/fhir/r4/Bundle?dry-run=true", body, headers, token.now())
        got = answer.status if answer.status == 200 else answer.code()
        if got != want:
            check.that(False, f"{name}: {got}, not {want}: {answer}")
        if i % 5 == 0:
            client.close()
    counts.append(i)


def send(g, documents, stop, token, swaps, held):
    """Receipts, the documents spread over the reloads, and a head with each proof."""
    client = g.client("h1-tls")
    sent = 0
    while not stop.is_set():
        if sent < len(documents) and swaps.done >= sent * (SWAPS // len(documents) - PARTS):  # not in step with the keys
            d = documents[sent]
            sent += 1
            answer = client.call("POST", "/fhir/r4/Bundle", d.body, d.headers, token.now())
            check.that(answer.status in (200, 201, 202), f"{d.name}: {answer}")
            submission, receipt = answer.parameter("submission"), answer.parameter("receipt")
        proof = client.call("GET", f"/v1/receipts/{submission}/proof", token=token.now())
        check.equal(proof.status, 200, "a proof")
        held.append((receipt, proof.body))


def kid_of(receipt):
    return json.loads(from_b64url(receipt.split(".")[0]))["kid"]


def verify_held(g, held, keys):
    """Offline, in another process that has the JWKS only; of the proofs in one receipt's row the last."""
    last = dict(held)
    file, proof = g.dir / "receipt.jws", g.dir / "proof.json"
    for receipt, body in last.items():
        file.write_text(receipt)
        proof.write_bytes(body)
        done = claimgate("verify", "receipt", file, "--keys", keys, "--proof", proof, check=False)
        check.equal(done.returncode, 0, f"a receipt by {kid_of(receipt)} and its proof hold: {done.stdout.decode()}{done.stderr.decode()}")
    check.that(len({kid_of(receipt) for receipt in last}) > 2, f"receipts by several keys: {len(last)}")


def refused(g, what):
    before = shown(g)
    check.that("error" in g.control("reload"), f"{what} is refused")
    check.equal(shown(g), before, f"{what}: the keys before stay in force")


def test_bad_keys(g, swaps):
    """What cannot be is refused whole, and what was in force stays so."""
    store = g.dir / "store"
    now = json.loads(jwks(g))["keys"]
    good = compact({"keys": now})
    for name, pem in zip(("gateway.key", "webhook.key"), (openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), swaps.keys[0][1])):
        put(store / name, pem)
    for what, keys in (("a new key beside a list without the one before", now[1:]), ("a private key among the public ones", [*now, {**now[0], "d": now[0]["x"]}]),
                       ("a name that is not the thumbprint", [*now[1:], {**now[0], "kid": "other"}]), ("more keys than are shown", now * 63), ("no list", {})):
        put(store / OVERLAP, compact({"keys": keys}))
        refused(g, what)
    put(store / OVERLAP, good)
    put(store / "gateway.key", swaps.keys[0][1])
    refused(g, "a signing key of another kind")
    put(store / "gateway.key", openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    put(store / OVERLAP, compact({"keys": [{**key, "exp": 1} for key in now]}))
    check.that("reloaded" in g.control("reload"), "former keys past their time")
    check.equal(len(shown(g)), 2, "are shown no longer")
    done = claimgate("audit", "verify", "--config", g.dir / "claimgate.conf", check=False)
    check.equal(done.returncode, 0, f"and the audit knows them still: {done.stdout.decode()[-300:]}")


def test_bad_trust(g, good, token):
    put(g.pki / "trust.json", b"{}")
    check.that("error" in g.control("reload"), "a list that cannot be read is refused")
    answer = g.client("h1-tls").call("POST", "/fhir/r4/Bundle?dry-run=true", good[1], good[2], token.now())
    check.equal(answer.status, 200, "and the one before stays in force")


if __name__ == "__main__":
    with Gateway(tls=True) as g:
        swaps = Swaps(g)
        swaps.policy(1)
        swaps.authority(1)
        g.settings += [f"trust.policy={g.dir}/policy.json", f"trust.authority={g.dir}/authority.json"]
        g.restart()
        documents = [d for d in g.samples("1..24") if d.author == "h1"]
        d = next(d for d in documents if not d.is_xml and "certificate" in d.name)
        swaps.receipt = next(d for d in documents if not d.is_xml and "receipt" in d.name)
        documents = [d for d in documents if "receipt" not in d.name]
        cases = [("good", d.body, g.signed(d.body, "h1"), 200), ("a doctor's", d.body, g.signed(d.body, "h1-dr-lin"), 200),
                 ("rogue", d.body, g.signed(d.body, "rogue-h1"), "chain-untrusted"), ("revoked", d.body, g.signed(d.body, "h1-revoked"), "certificate-revoked"),
                 ("expired", d.body, g.signed(d.body, "h1-expired"), "certificate-time")]
        documents.remove(d)
        token = swaps.token = Token(g)
        stop, counts, held = threading.Event(), [], []
        threads = [threading.Thread(target=judge, args=(g, cases, stop, token, counts)) for _ in range(CLIENTS)]
        threads.append(threading.Thread(target=send, args=(g, documents, stop, token, swaps, held)))
        for thread in threads:
            thread.start()
        for i in range(SWAPS):
            swaps.run(i)
        stop.set()
        for thread in threads:
            thread.join(60)
        check.that(len(counts) == CLIENTS and sum(counts) > CLIENTS * 20, f"requests during the reloads: {counts}")
        keys = g.dir / "jwks.json"
        keys.write_bytes(jwks(g))
        verify_held(g, held, keys)
        print(f"{SWAPS} reloads, {sum(counts)} verdicts, {len(dict(held))} receipts, {len(held)} proofs")
        test_bad_keys(g, swaps)
        test_bad_trust(g, cases[0], token)
    sys.exit(check.done())
