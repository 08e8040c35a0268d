"""Compulsory insurers and their register on the wire: desks that answer who insures a vehicle (docs/lookup.md), truly or as a test scripts them."""
import base64
import http.server
import json
import pathlib
import tempfile
import threading

from accidents import K1, L3, P1, P2, P3, WANG, application, claims_of, item, party, record
from support import compact, from_b64url, openssl, wait_until


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class CoverDesk:
    """An insurer's desk, or the register's.  policies: plate → (insurer, number, from, to); what it says of a plate can be scripted by a function of the truthful answer."""

    def __init__(self, g, name, code, register=False):
        self.g, self.name, self.code, self.register = g, name, code, register
        self.policies, self.scripts, self.asked = {}, {}, []
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                question = json.loads(body)
                desk.asked.append((question, dict(self.headers), body))
                status, answer = desk.scripts.get(question["plate"], desk.honest)(question)
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/jose")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # whoever asked has gone

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/cover"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def insure(self, plate, insurer=None, no="CALI-2026-004447", since="2020-01-01", until="2040-01-01"):
        self.policies[plate] = (insurer or self.code, no, since, until)

    def paper(self, question, /, **more):
        """The truthful answer; more: members otherwise, None to leave one out."""
        value = {"format": "cover-answer-1", "question": question["question"], "by": self.code, "plate": question["plate"], "date": question["date"], "answered_at": f"{question['date']}T12:00:00+08:00"}
        if question["plate"] in self.policies:
            insurer, no, since, until = self.policies[question["plate"]]
            value |= {"answer": "insured", "insurer": insurer, "certificate_no": no, "from": since, "to": until}
        else:
            value["answer"] = "uninsured" if self.register else "not_ours"
        value |= more
        return {k: v for k, v in value.items() if v is not None}

    def sign(self, paper, signer=None):
        body = compact(paper)
        _, detached = self.g.sign(body, signer or self.name)
        head, _, tail = detached.split(".")
        return f"{head}.{b64url(body)}.{tail}".encode()

    def honest(self, question):
        return 200, self.sign(self.paper(question))

    def script(self, plate, answer):
        self.scripts[plate] = answer

    def lie(self, plate, signer=None, **more):
        """Signs something else than the truth."""
        self.script(plate, lambda q: (200, self.sign(self.paper(q, **more), signer)))

    def plates(self):
        return [q["plate"] for q, _, _ in self.asked]

    def close(self):
        self.server.shutdown()


def verify_question(g, headers, body):
    """The question's signature by the gateway's published key; what the header says."""
    head, payload, tail = headers["X-JWS-Signature"].split(".")
    header = json.loads(from_b64url(head))
    key = next(k for k in g.call("GET", "/.well-known/jwks.json").json()["keys"] if k["kid"] == header["kid"])
    point = b"\x04" + from_b64url(key["x"]) + from_b64url(key["y"])
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point
    r, s = from_b64url(tail)[:32], from_b64url(tail)[32:]

    def integer(n):
        n = n.lstrip(b"\0") or b"\0"
        n = b"\0" + n if n[0] & 0x80 else n
        return b"\x02" + bytes([len(n)]) + n
    inner = integer(r) + integer(s)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "key.der").write_bytes(spki)
        (folder / "sig.der").write_bytes(b"\x30" + bytes([len(inner)]) + inner)
        openssl("dgst", "-sha256", "-verify", folder / "key.der", "-keyform", "DER", "-signature", folder / "sig.der", data=f"{head}.{b64url(body)}".encode())
    return header, payload


# -- an accident with five cars whose insurers nobody knows --

NO = "11511AC70001"
REFERENCE = {"author": K1, "kind": "accident_no", "value": NO}
PAPERS = ("accident-part",)
CIR = "99001142"
CARS = {"found": "AAA7001", "none": "BBB7002", "named": "CCC7003", "denied": "DDD7004", "slow": "EEE7005"}
PLATES = ["AAA-7001", "BBB-7002", "CCC-7003", "DDD-7004", "EEE-7005"]


def slip(g, insurers=()):
    """Five cars and a pedestrian; insurers: plate → 統一編號 on the certificate that the officer saw."""
    cars = [party(n + 1, None, "B03", vehicle={"plate": plate, **({"insurer_ubn": dict(insurers)[plate]} if plate in dict(insurers) else {})}, injury_degree={"code": "3"})
            for n, plate in enumerate(PLATES)]
    return record(g, NO, "slip", [*cars, party(6, WANG, "H01", injury_degree={"code": "2"}, main_injury={"code": "1"})])


def begun(g, checks, insurers=()):
    """The slip, and a pedestrian's claims: P1 compulsory, L3 life."""
    checks.equal(g.push(slip(g, insurers)).status, 201, "the slip")
    filed = g.apply(application(WANG, [item(P1, "cali", ["cali_medical"], PAPERS), item(L3, "life", ["death"], ("inquest",))], [REFERENCE], event={"kind": "traffic"}), "person-wang")
    checks.equal(filed.status, 201, f"the application {filed}")
    return filed.json()["case"], claims_of(filed)


def ask(g, claim, plate, who="p1", **more):
    return g.post(who, "/v1/cover-lookups", {"claim": claim, "plate": plate, "date": g.day(0), **more})


def ended(g, answer, who="p1", state=None):
    """The lookup when it is no longer asked for (or as far as state)."""
    path = f"/v1/cover-lookups/{answer.json()['id']}"
    wait_until(lambda: (g.get(who, path).json()["state"] != "asking") if state is None else state(g.get(who, path).json()))
    return g.get(who, path).json()


def states(row):
    return {a["who"]: a["state"] for a in row["asked"]}


def desks_of(g, *names, **codes):
    codes = {"p1": P1, "p2": P2, "p3": P3, **codes}
    desks = {name: CoverDesk(g, name, codes[name]) for name in names}
    for name, desk in desks.items():
        g.set_options(name, cali="yes", lookup_url=desk.url)
    return desks
