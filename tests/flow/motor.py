"""A motor filing as its parties write it: papers in the form of openapi/motor-filing.schema.json, signed with the sandbox's certificates and sent over HTTP.

    filing = Filing(g)                       # owner person-wang through the app, shop r1, own damage p1
    filing.begin(...)                        # part filing; .case, .claims[(code, line)], .code of the owner
    filing.shop("estimate", version=1, …)    # signed by r1
    filing.insurer("p1", "approval", …)      # signed by p1
"""
import secrets

from support import compact

JSON = {"Content-Type": "application/json"}
CODES = {"l1": "99000116", "l2": "99000220", "p1": "99000447", "p2": "99000559", "p3": "99000663", "fund": "99000707", "r1": "99000811"}
WRITTEN = "2026-03-02T10:00:00+08:00"
PEOPLE = {
    "person-wang": {"name": "王沙箱", "identifiers": [{"system": "http://www.moi.gov.tw", "value": "A190130001"}], "birth_date": "1988-05-12",
                    "phone": "0900-000-001", "address": "沙箱市中正路1號"},
    "person-lee": {"name": "李沙箱", "identifiers": [{"system": "http://www.moi.gov.tw", "value": "B290110002"}], "birth_date": "1991-11-03",
                   "phone": "0900-000-002"},
    "person-nguyen": {"name": "NGUYEN THI SANDBOX", "identifiers": [{"system": "http://www.immigration.gov.tw", "value": "A890110003"}],
                      "birth_date": "1986-02-20"},
}


def line(no, text, amount, **more):
    return {"no": no, "text": text, "amount": str(amount), **more}


class Filing:
    def __init__(self, g, owner="person-wang", plate="BAA-1001", order="R1-0001", number=None, app="app", written=WRITTEN):
        self.g, self.owner, self.plate, self.order, self.app, self.written = g, owner, plate, order, app, written
        self.number = number or f"urn:uuid:{secrets.token_hex(16)}"
        self.case, self.claims, self.code = None, {}, None

    # sending

    def paper(self, part, author, members, **head):
        return {"format": "motor-filing-1", "filing": self.number, "part": part, "written": self.written, "author": author, **head, **members}

    def send(self, paper, signer, sender, path="/v1/motor-filings"):
        body = paper if isinstance(paper, bytes) else compact(paper)
        return self.g.call("POST", path, body, self.g.signed(body, signer, media="application/json"), self.g.token(sender))

    def of_owner(self, part, signer=None, sender=None, **members):
        return self.send(self.paper(part, {"kind": "owner"}, members), signer or self.owner, sender or self.app)

    def shop(self, part, code="r1", signer=None, **members):
        if part != "damage":
            members.setdefault("order_no", self.order)
        members.setdefault("plate", self.plate)
        return self.send(self.paper(part, {"kind": "shop", "code": CODES[code]}, members), signer or code, code)

    def insurer(self, code, part, signer=None, path="/v1/motor-filings", **members):
        if part == "approval":
            members = {"shop": CODES["r1"], "order_no": self.order, **members}
        if part != "settlement":
            members.setdefault("plate", self.plate)
        return self.send(self.paper(part, {"kind": "insurer", "code": CODES[code]}, members), signer or code, code, path)

    # the owner's part

    def begin_paper(self, claims=(("p1", "own_damage"),), photos=(), damage=None, shop="r1", accident=None, kind="自用小客車", **more):
        members = {
            "accident": {"occurred": "2026-03-01T08:15:00+08:00", "place": "沙箱市中正路與民生路口", "narrative": "停等紅燈時遭後車追撞。", **(accident or {})},
            "owner": PEOPLE[self.owner],
            "vehicle": {"plate": self.plate, "kind": kind, "cali_class": "汽", "make": "SANDBOX", "model": "One", "year": 2021},
            "damage": damage or [{"area": "後保險桿", "severity": "凹陷"}, {"area": "行李箱蓋", "severity": "變形"}],
            "loss": {"kind": "partial", "drivable": True},
            "claims": [{"insurer": CODES[code], "line": line_, "policy_no": f"POL-{code}"} for code, line_ in claims],
            **more,
        }
        if photos:
            members["photos"] = list(photos)
        if shop:
            members["shop"] = {"code": CODES[shop]}
        return self.paper("filing", {"kind": "owner"}, members)

    def begin(self, **more):
        answer = self.send(self.begin_paper(**more), self.owner, self.app)
        if answer.status == 201:
            said = answer.json()
            self.case, self.code = said["case"], said.get("track_code")
            self.claims = {(c["recipient"], c["line"]): c["claim"] for c in said.get("claims", [])}
        return answer

    def claim(self, code, line_="own_damage"):
        return self.claims[CODES[code], line_]

    # the views

    def seen_by(self, party, code=None):
        headers = {"X-Track-Token": code} if code else {}
        return self.g.call("GET", f"/v1/motor-filings/{self.case}", headers=headers, token=self.g.token(party))

    def claim_seen_by(self, party, claim):
        return self.g.call("GET", f"/v1/claims/{claim}", token=self.g.token(party))


# -- pictures: real segments around random data, which nothing here decodes --

SECRET = "GPS 25.0330N 121.5654E 王沙箱".encode()


def segment(marker, body):
    return b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg(size=2_000_000, seed=None, orientation=6, secret=SECRET):
    """A JPEG of about this size with EXIF (orientation and a place), XMP, IPTC and a comment; the same seed gives the same picture."""
    import random
    entropy = random.Random(seed).randbytes(size).replace(b"\xff", b"\xfe") if seed is not None else secrets.token_bytes(size).replace(b"\xff", b"\xfe")
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0" + secret
    notes = segment(0xE1, b"Exif\0\0" + tiff) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + secret) + segment(0xED, b"Photoshop 3.0\0" + secret) + segment(0xFE, secret)
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0") + notes + picture_of(entropy)


def picture_of(entropy):
    return segment(0xDB, bytes(65)) + segment(0xC0, bytes(15)) + segment(0xDA, bytes(10)) + entropy + b"\xff\xd9"


def upload(g, party, data, media="image/jpeg"):
    """In one piece; the words by which a paper names it."""
    import hashlib
    digest = hashlib.sha256(data).hexdigest()
    answer = g.call("PUT", f"/v1/attachments/{digest}", data, {"Content-Type": media}, g.token(party))
    if answer.status not in (200, 201):
        raise RuntimeError(f"upload: {answer}")
    return {"sha256": digest, "media": media}
