"""Accidents for flow tests: records as an agency writes and signs them, a desk that answers the gateway's questions, a gateway whose clock moves."""
import base64
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import re
import secrets
import sqlite3
import threading

from support import LEE, WANG, Client, Gateway, Responder, compact, consent_text, openssl

K1, K2, J1, B1, B2, O1 = "A99010001K", "A99020001K", "A99110001J", "A99510001B", "A99520001B", "A99510001H"
AGENCIES = {"k1": (K1, "沙箱市政府警察局交通警察大隊"), "k2": (K2, "沙箱縣警察局交通警察隊"), "j1": (J1, "沙箱地方檢察署"), "b1": (B1, "沙箱市車輛行車事故鑑定會"),
            "b2": (B2, "沙箱市車輛行車事故鑑定覆議會"), "o1": (O1, "沙箱戶政事務所")}
H1, H2, C1 = "9901010016", "9901020021", "9935010039"
L1, L2, L3, P1, P2, P3, FUND = "99000116", "99000220", "99000333", "99000447", "99000559", "99000663", "99000707"
DAY = 86400
APP_KINDS = ("accident-part",)


def party(seq, person=None, kind="B03", **more):
    """A line of the form: person as in support.WANG, None for one that is not known."""
    line = {"seq": seq, "kind": {"code": kind}}
    if person:
        line |= {"name": person["name"], "identifiers": person["identifiers"], "birth_date": person["birth_date"]}
    return {**line, **more}


def record(g, no, part, parties, agency="k1", revision=1, occurred=None, **more):
    oid, name = AGENCIES[agency]
    return {"version": 1, "agency": {"oid": oid, "name": name, **more.pop("agency_more", {})}, "accident_no": no, "part": part, "revision": revision, "form_era": "2022", "class": more.pop("class_", "A2"),
            "occurred": occurred or f"{g.day(0)}T08:30:00+08:00", "place": {"text": "沙箱市中正區忠孝路與復興路口", "county": "沙箱市", "town": "中正區"},
            "casualties": more.pop("casualties", {"dead_24h": 0, "injured": 1}), **more, "parties": parties}


def mandate(holder, person, kinds, uses=None, lang="zh-TW"):
    """委託書: an item that only its holder is shown."""
    permission = {"purpose": "claim", "document_kinds": list(kinds), "from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "text": consent_text("retrieval-mandate", lang=lang)}
    return {"holder": holder, "person": person, "permission": {**permission, **({"uses": uses} if uses else {})}}


class AccidentGateway(Gateway):
    """A sandbox whose days are counted from the accident."""

    def day(self, n):
        """The n-th day after the accident, which is today (Taiwan's), as text."""
        return (self.accident_day + datetime.timedelta(days=n)).isoformat()

    def go_to_day(self, n):
        self.pass_time(n * DAY - self.shift)

    def renew_lists(self):
        """The sandbox's revocation lists last a month: new ones for the time that it is now, as its authorities issue them, and the gateway reads them."""
        responder = Responder(self.pki)
        try:
            responder.order(clock=self.shift)
            responder.order(life=30 * DAY)
            responder.order(revoke="h1-revoked", reason=4, seconds=-self.shift - DAY)
            for name in ("root", "hca", "gca", "moica", "moeaca"):
                answer = Client("127.0.0.1", responder.port).call("GET", f"/crl/{name}.crl")
                assert answer.status == 200, answer
                (self.pki / f"{name}.crl").write_bytes(openssl("crl", "-inform", "DER", "-outform", "PEM", data=answer.body))
        finally:
            responder.stop()
        said = self.control("reload")
        assert not said.get("code"), said

    def __enter__(self):
        self.accident_day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).date()
        return super().__enter__()

    def post(self, party, path, body, headers=None):
        return self.call("POST", path, compact(body), {"Content-Type": "application/json", **(headers or {})}, self.token(party))

    def get(self, party, path):
        return self.call("GET", path, token=self.token(party))

    def push(self, body, signer="k1", sender=None):
        """A record as its agency pushes it."""
        data = compact(body)
        return self.call("POST", "/v1/accident-records", data, self.signed(data, signer, "application/json"), self.token(sender or signer))

    def attach(self, data, sender="k1", media="image/jpeg"):
        sha = hashlib.sha256(data).hexdigest()
        answer = self.call("PUT", f"/v1/attachments/{sha}", data, {"Content-Type": media}, self.token(sender))
        assert answer.status in (200, 201), answer
        return {"sha256": sha, "media": media, "bytes": len(data), "kind": "photo"}

    def apply(self, application, person, co_person=None):
        return self.call("POST", "/v1/applications", self.application(application, person, co_person), {"Content-Type": "application/json"}, self.token("app"))

    def permit(self, application, person, co_person=None):
        return self.call("POST", "/v1/permissions", self.application(application, person, co_person), {"Content-Type": "application/json"}, self.token("app"))

    def next_at(self, task):
        """When the gateway looks at the task again; None: not by itself."""
        db = sqlite3.connect(f"file:{self.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
        try:
            return next((row[1] for row in db.execute("SELECT item, next_at FROM tasks ORDER BY id LIMIT 1")), None)
        finally:
            db.close()

    def events(self, party):
        return self.get(party, "/v1/events").json()["data"]


class Desk:
    """An agency's desk on the wire: what it has been asked for, and what it answers (docs/tasks.md, "Asking by the wire")."""

    def __init__(self, g, signer="k1"):
        self.g, self.signer, self.asked, self.papers, self.words = g, signer, [], {}, {}
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                desk.asked.append((question, dict(self.headers)))
                answer = compact(desk.answer(question))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/records"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep(self, body, files=(), signer=None):
        """A paper that may be asked for, signed when it is filed."""
        data = compact(body)
        name, value = self.g.sign(data, signer or self.signer)
        self.papers[(body["accident_no"], body["part"])] = {
            "state": "answered", "files": [{"sha256": hashlib.sha256(f).hexdigest(), "media": "image/jpeg", "content": base64.b64encode(f).decode()} for f in files],
            "records": [{"media": "application/json", "content": base64.b64encode(data).decode(), "jws": value}]}

    def say(self, no, item, **word):
        self.words[(no, item)] = word

    def answer(self, question):
        at = (question["subject"]["accident_no"], question["item"])
        return self.words.get(at) or self.papers.get(at) or {"state": "refused", "reason": "no_such_record"}

    def count(self, item=None):
        return sum(1 for q, _ in self.asked if item in (None, q["item"]))

    def close(self):
        self.server.shutdown()


# -- what each party is expected to see --

EXPECTED = pathlib.Path(__file__).parent / "scenarios"


def seen_by(g, checks, party_name, claim):
    """The claim as its insurer reads it, and the projection's bytes."""
    answer = g.get(party_name, f"/v1/claims/{claim}")
    checks.equal(answer.status, 200, f"{party_name} reads its claim: {answer}")
    text = answer.body.decode()
    start = text.index('"case":') + len('"case":')
    return answer.json(), text[start:json.JSONDecoder().raw_decode(text, start)[1]].encode()


def expect_file(g, checks, name, body):
    """tests/flow/scenarios/<name>.json, byte for byte; the days after the accident stand in it as DAY+n, since the accident is today, handles of pictures as PIC-n.  CLAIMGATE_WRITE=1 writes it anew."""
    path = EXPECTED / f"{name}.json"
    for n in range(-1, 150):
        body = body.replace(g.day(n).encode(), b"DAY+%03d" % n)
    for n, handle in enumerate(dict.fromkeys(re.findall(rb"pic-[0-9a-z]{26}", body)), 1):
        body = body.replace(handle, b"PIC-%d" % n)
    if os.environ.get("CLAIMGATE_WRITE"):
        path.write_bytes(body + b"\n")
        return
    checks.that(path.exists() and path.read_bytes() == body + b"\n", f"{name}: the projection differs from {path.name}: {body.decode()}")


def claims_of(filed):
    """(recipient, line) → claim of an application's answer."""
    return {(c["recipient"], c["line"]): c["claim"] for c in filed.json()["claims"]}


def findings_of(answer):
    return {f["code"]: f["severity"] for f in answer["case"].get("findings", [])}


def decide(g, party_name, claim, signer=None, **decision):
    """A signed decision at the claim's present version."""
    version = g.get(party_name, f"/v1/claims/{claim}").headers["etag"]
    name, value = g.sign(compact(decision), signer or party_name)
    return g.call("POST", f"/v1/claims/{claim}/decision", compact(decision),
                  {"Content-Type": "application/json", "If-Match": version, "Idempotency-Key": secrets.token_hex(12), name: value}, g.token(party_name))


def tell(g, party_name, claim, state):
    version = g.get(party_name, f"/v1/claims/{claim}").headers["etag"]
    return g.post(party_name, f"/v1/claims/{claim}/status", {"state": state}, {"If-Match": version, "Idempotency-Key": secrets.token_hex(12)})


def item(recipient, line, benefits, kinds, text="claim-consent", **more):
    permission = {"purpose": "claim", "document_kinds": list(kinds), "from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "text": consent_text(text)}
    return {"recipient": recipient, "line": line, "coverage": {"policy_no": f"POL-{recipient}"}, "benefits": [{"kind": b} for b in benefits], "permission": permission, **more}


def application(person, insurers, references=(), mandates=(), event=None, **common):
    return {"id": f"urn:uuid:{secrets.token_hex(16)}", "common": {"person": person, **({"references": list(references)} if references else {}), **({"event": event} if event else {}), **common},
            "insurers": list(insurers), **({"mandates": list(mandates)} if mandates else {})}


# -- hospital papers of an accident --

CG = "https://claimgate.tw/fhir/CodeSystem/"


def points_line(text, points, nhi="treatment"):
    """What the National Health Insurance pays: points, which are no money."""
    price = {"extension": [{"url": "https://claimgate.tw/fhir/StructureDefinition/nhi-points", "valueDecimal": points}], "type": "informational", "code": {"coding": [{"system": f"{CG}payer", "code": "nhi"}]}}
    return {"chargeItemCodeableConcept": {"coding": [{"system": f"{CG}receipt-category", "code": nhi}], "text": text}, "priceComponent": [price]}


def line(text, amount, cali=None, payer="self", nhi="other_non_medical", units=None):
    """One line of a receipt; cali: the compulsory insurance's category, units: days, teeth, pieces."""
    coding = [{"system": f"{CG}receipt-category", "code": nhi}] + ([{"system": f"{CG}cali-category", "code": cali}] if cali else [])
    price = {"type": "base", "code": {"coding": [{"system": f"{CG}payer", "code": payer}]}, **({"factor": units} if units else {}), "amount": {"value": amount, "currency": "TWD"}}
    return {"chargeItemCodeableConcept": {"coding": coding, "text": text}, "priceComponent": [price]}


def resource_of(body, kind):
    return next(e["resource"] for e in json.loads(body)["entry"] if e["resource"]["resourceType"] == kind)


def changed(document, change):
    """A sample with something else in it, to be signed anew."""
    value = json.loads(document.body if hasattr(document, "body") else document)
    for entry in value["entry"]:
        change(entry["resource"])
    return compact(value)


def with_lines(document, lines):
    """A receipt of these lines, with sums that agree."""
    def rewrite(resource):
        if resource["resourceType"] != "Invoice":
            return
        resource["lineItem"] = [{"sequence": n + 1, **entry} for n, entry in enumerate(lines)]
        total = {"copay": 0, "self_pay": 0}
        for price in (entry["priceComponent"][0] for entry in lines if "amount" in entry["priceComponent"][0]):
            total["copay" if price["code"]["coding"][0]["code"] == "copay" else "self_pay"] += price["amount"]["value"]
        whole = sum(total.values())

        def part(code, amount):
            return {"type": "base", "code": {"coding": [{"system": f"{CG}receipt-total", "code": code}]}, "amount": {"value": amount, "currency": "TWD"}}
        resource["totalPriceComponent"] = [part("copay", total["copay"]), part("self_pay", total["self_pay"]), part("payable", whole), part("paid", whole)]
        resource["totalNet"] = resource["totalGross"] = {"value": whole, "currency": "TWD"}
    return changed(document, rewrite)


def moved(g, body, days=0):
    """The stay begins `days` after the accident: every day of the paper moves along."""
    start = datetime.date.fromisoformat(resource_of(body, "Encounter")["period"]["start"][:10])
    shift = g.accident_day + datetime.timedelta(days=days) - start

    def move(match):
        day = datetime.date.fromisoformat(match.group(0).decode())
        return (day + shift).isoformat().encode() if abs((day - start).days) < 120 else match.group(0)
    return re.sub(rb"20\d\d-[01]\d-[0-3]\d", move, body)


def send(g, body, signer, sender):
    return g.call("POST", "/fhir/r4/Bundle", body, g.signed(body, signer), g.token(sender))


__all__ = ["line", "resource_of", "changed", "with_lines", "moved", "send", "seen_by", "expect_file", "claims_of", "findings_of", "decide", "tell", "item", "application", "WANG", "LEE", "K1", "K2", "J1", "O1", "H1", "H2", "C1", "L1", "L2", "L3", "P1", "P2", "P3", "FUND", "DAY", "party", "record", "mandate", "AccidentGateway", "Desk"]
