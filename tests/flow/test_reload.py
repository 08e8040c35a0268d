#!/usr/bin/env python3
"""Trust list, TLS certificate and revocation policy change under load, 250 times here and 1,000 with RELOAD_SWAPS=1000: no request fails, no verdict is wrong.

Two trust lists take turns, both of which hold the hospitals' CA; in one the police's is missing, so that each reload is seen.  What is
signed by a rogue CA or a revoked signer stays refused, what is good stays good, whichever list is in force."""
import sys

from support import *

check = Checks()
SWAPS, CLIENTS = int(os.environ.get("RELOAD_SWAPS", "250")), 3


def control(g, verb, text=""):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(g.dir / "store" / "claimgate.sock"))
        s.sendall(compact({"verb": verb, "text": text}) + b"\n")
        return json.loads(s.makefile().readline())


def prepare(g):
    """The two states of every file that is read anew."""
    whole = json.loads((g.pki / "trust.json").read_text())
    less = json.loads(json.dumps(whole))
    del less["uses"]["gca"]
    return [
        {"trust.json": compact(whole), "policy.json": compact({"grace_hours": {"hospital": 72}})},
        {"trust.json": compact(less), "policy.json": compact({"grace_hours": {"hospital": 24}, "cool_down_hours": 1, "cool_down_level": "verified-crl"})},
    ]


def put(path, content):
    """As operators should: a new file and a rename."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.rename(path)


def load(g, cases, stop, token, counts):
    client = g.client("h1-tls")
    i = 0
    while not stop.is_set():
        name, body, headers, want = cases[i % len(cases)]
        i += 1
        answer = client.call("POST", "/fhir/r4/Bundle?dry-run=true", body, headers, token)
        got = answer.status if answer.status == 200 else answer.code()
        if got != want:
            check.that(False, f"{name}: {got}, not {want}: {answer}")
        if i % 5 == 0:  # a connection of its own sees the TLS certificate of this moment
            client.close()
    counts.append(i)


if __name__ == "__main__":
    with Gateway(tls=True) as g:
        states = prepare(g)
        put(g.dir / "policy.json", states[0]["policy.json"])
        g.settings.append(f"trust.policy={g.dir}/policy.json")
        g.restart()
        d = next(d for d in g.samples("1..3") if d.author == "h1" and not d.is_xml)
        cases = [("good", d.body, g.signed(d.body, "h1"), 200), ("a doctor's", d.body, g.signed(d.body, "h1-dr-lin"), 200),
                 ("rogue", d.body, g.signed(d.body, "rogue-h1"), "chain-untrusted"), ("revoked", d.body, g.signed(d.body, "h1-revoked"), "certificate-revoked"),
                 ("expired", d.body, g.signed(d.body, "h1-expired"), "certificate-time")]
        token = g.ask_token("h1", client=g.client("h1-tls")).json()["access_token"]
        stop, counts = threading.Event(), []
        threads = [threading.Thread(target=load, args=(g, cases, stop, token, counts)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        failed = 0
        for i in range(SWAPS):
            for name, content in states[i % 2].items():
                put((g.pki if name == "trust.json" else g.dir) / name, content)
            failed += "reloaded" not in control(g, "reload")
        stop.set()
        for thread in threads:
            thread.join(60)
        check.equal(failed, 0, f"{SWAPS} reloads")
        check.that(sum(counts) > CLIENTS * 20, f"requests during the reloads: {sum(counts)}")
        print(f"{SWAPS} reloads, {sum(counts)} requests")
        put(g.pki / "trust.json", b"{}")
        check.that("error" in control(g, "reload"), "a list that cannot be read is refused")
        answer = g.client("h1-tls").call("POST", "/fhir/r4/Bundle?dry-run=true", cases[0][1], cases[0][2], token)
        check.equal(answer.status, 200, "and the one before stays in force")
    sys.exit(check.done())
