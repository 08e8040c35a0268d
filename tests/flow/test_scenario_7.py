"""Scenario 7: three cars, property only (A3).  Each owner files for his car, the shop and the insurers go on; the police's papers come on their days, the appraisal reverses the preliminary analysis,
the re-appraisal confirms it, and all three stand side by side; the owners settle without the liability insurer, the insurers that paid ask the others for their share.

The play, in order: `filings`, `slip`, `repair`, `pictures`, `analysis`, `opinions`."""
import hashlib
import sys

import motor
from accidents import K1, AccidentGateway, Desk, application, mandate, party, record, seen_by
from motor import CODES, Filing, line
from support import Checks, wait_until

checks = Checks()
NO = "11511AC70001"
WANG, LEE, NGUYEN = (motor.PEOPLE[name] for name in ("person-wang", "person-lee", "person-nguyen"))
PARTIES = [party(1, WANG, "B03", phone=WANG["phone"], vehicle={"plate": "BAA-1001", "insurer_ubn": CODES["p1"]}),
           party(2, LEE, "B03", phone=LEE["phone"], vehicle={"plate": "BBB-2002", "insurer_ubn": CODES["p2"]}),
           party(3, NGUYEN, "B11", vehicle={"plate": "CCC-3003", "insurer_ubn": CODES["p3"]})]
THREE = [party(1), party(2), party(3)]
ESTIMATE = [line("1", "後保險桿更換", 30000, qty="1", unit_price="30000", part_no="52159-A", part_type="oem"), line("2", "行李箱蓋鈑金", 24500, labour_h="12.5"),
            line("3", "烤漆", 30000, paint="30000")]
MORE = [line("S1", "後圍板校正", 12300, labour_h="6")]
DRAWING, SCENE = b"%PDF-1.7 three cars", b"\xff\xd8\xff\xe0" + b"three cars" * 900 + b"\xff\xd9"


def accepted(answer, text):
    checks.equal(answer.status, 201, f"{text}: {answer}")
    return answer.json() if answer.status == 201 else {}


def refused(answer, status, code, text):
    checks.equal((answer.status, answer.code()), (status, code), text)


def codes(answer):
    return [f["code"] for f in answer["findings"]]


def total(lines):
    return str(sum(int(one["amount"]) for one in lines))


def opinion(g, part, agency, day, *degrees, **more):
    """What one body says of the three: main, minor, none."""
    said = {"issued": g.day(day), "binding": False, "findings": [{"party": i + 1, "degree": d} for i, d in enumerate(degrees)], **more}
    head = {} if agency == "k1" else {"handled_by": K1, "agency_more": {"kind": "appraisal_board"}}
    return record(g, NO, part, THREE, agency=agency, class_="A3", casualties={"dead_24h": 0, "injured": 0}, opinions=[said], **head)


def police(g):
    """The agency's desk, which is asked by the wire when the law allows it."""
    desk = Desk(g)
    a3 = {"class_": "A3", "casualties": {"dead_24h": 0, "injured": 0}}

    def file(data, media, kind):
        return [{"sha256": hashlib.sha256(data).hexdigest(), "media": media, "bytes": len(data), "kind": kind}]
    desk.keep(record(g, NO, "slip", PARTIES, **a3))
    desk.keep(record(g, NO, "diagram", THREE, attachments=file(DRAWING, "application/pdf", "diagram"), **a3), [DRAWING])
    desk.keep(record(g, NO, "photos", THREE, attachments=file(SCENE, "image/jpeg", "photo"), **a3), [SCENE])
    desk.keep(opinion(g, "analysis", "k1", 30, "main", "minor", "none"))
    g.set_options("k1", records_url=desk.url)
    return desk


class Play:
    """What one step leaves to the next."""

    def __init__(self, g):
        self.g, self.desk, self.asked = g, police(g), {}
        written = f"{g.day(0)}T18:00:00+08:00"
        self.wang = Filing(g, "person-wang", "BAA-1001", written=written)
        self.lee = Filing(g, "person-lee", "BBB-2002", written=written)
        self.nguyen = Filing(g, "person-nguyen", "CCC-3003", written=written)
        self.accident = {"occurred": f"{g.day(0)}T08:15:00+08:00", "agency": K1, "no": NO}

    def today(self, day):
        for filing in (self.wang, self.lee, self.nguyen):
            filing.written = f"{self.g.day(day)}T10:00:00+08:00"
        self.g.go_to_day(day)


# -- day 0 --

def filings(p):
    """Each owner files for his own car, with his own insurer; the three are one accident."""
    mine = accepted(p.wang.begin(claims=(("p1", "own_damage"),), accident=p.accident, photos=[motor.upload(p.g, "app", motor.jpeg(4000, seed=7))],
                                 others=[{"plate": "BBB-2002", "kind": "自用小客車", "driver": "李沙箱", "phone": "0900-000-002", "cali_insurer": CODES["p2"]},
                                         {"plate": "CCC-3003", "kind": "自用小貨車", "damage": "前保險桿"}]), "Wang files")
    hers = accepted(p.lee.begin(claims=(("p2", "own_damage"),), accident=p.accident, shop=None, damage=[{"area": "前保險桿", "severity": "破裂"}]), "Lee files")
    third = accepted(p.nguyen.begin(claims=(("p3", "own_damage"),), accident=p.accident, shop=None, damage=[{"area": "後車門", "severity": "刮傷"}]), "Nguyen files")
    for said, code in ((mine, "p1"), (hers, "p2"), (third, "p3")):
        checks.equal([c["recipient"] for c in said["claims"]], [CODES[code]], f"a claim at {code} and nowhere else")


def slip(p):
    """The owner's mandate lets the agency be asked; the insurers of all three cars ask for the same papers, each is one task."""
    items = ("slip", "diagram", "photos", "analysis")
    for code, filing in (("p1", p.wang), ("p2", p.lee), ("p3", p.nguyen)):
        answer = p.g.post(code, "/v1/record-requests", {"claim": filing.claim(code), "holder": K1, "subject": {"accident_no": NO, "occurred": p.g.day(0)}, "items": list(items)})
        checks.equal(answer.status, 202, f"{code} asks the police: {answer}")
        p.asked[code] = {row["item"]: row["id"] for row in answer.json()["data"]}
        checks.equal({row["state"] for row in answer.json()["data"]}, {"permission_needed"}, f"{code}: nobody has allowed it yet")
    checks.equal(p.g.counts()["tasks"], 4, "twelve requests, four papers")
    reference = [{"author": K1, "kind": "accident_no", "value": NO}]
    for person, name in ((WANG, "person-wang"), (LEE, "person-lee"), (NGUYEN, "person-nguyen")):
        who = {k: person[k] for k in ("identifiers", "name", "birth_date")}
        given = p.g.permit(application(who, [], reference, [mandate(K1, who, ["accident-part"])]), name)
        checks.equal(given.status, 201, f"{name}'s mandate to the police {given}")
    until(p, "slip", "available")
    for item, day in (("diagram", 7), ("photos", 7), ("analysis", 30)):
        for code in ("p1", "p2", "p3"):
            row = p.g.get(code, f"/v1/record-requests/{p.asked[code][item]}").json()
            checks.equal((row["state"], row["earliest"]), ("not_yet", f"{p.g.day(day - 1)}T16:00:00.000Z"), f"{code}: the {item} not before its day")
    checks.equal(p.desk.count(), 1, "the police were asked for the slip alone, once")


def until(p, item, state):
    for code, asked in p.asked.items():
        def now():
            return p.g.get(code, f"/v1/record-requests/{asked[item]}").json()["state"]
        checks.that(wait_until(lambda: now() == state), f"{code}: the {item} is {state}: {now()}")


# -- the first week --

def repair(p):
    p.today(1)
    f = p.wang
    accepted(f.shop("estimate", version=1, lines=ESTIMATE, total="84500"), "estimate 1")
    taken = [{"no": one["no"], "amount": one["amount"]} for one in ESTIMATE]
    accepted(f.insurer("p1", "approval", line="own_damage", version=1, lines=taken, total="84500", deductible="3000", payable="81500", direct_pay=True), "P1 takes it over, but for the deductible")
    accepted(f.shop("supplement", version=1, supplement=1, reason="拆解後發現後圍板變形", lines=MORE, total="12300"), "the supplement")
    checks.equal(f.seen_by("r1").json()["repairs"][0]["state"], "estimated", "which nobody has answered yet")
    accepted(f.insurer("p1", "approval", line="own_damage", version=1, supplement=1, lines=[{"no": "S1", "amount": "12300"}], total="12300", payable="12300", direct_pay=True), "P1 takes that over")
    bill = accepted(f.shop("invoice", no="INV-7", lines=ESTIMATE + MORE, total="96800"), "the invoice")
    checks.equal(codes(bill), [], "96,800 is what was approved")
    paid = accepted(f.insurer("p1", "payment", no="PAY-1", line="own_damage", payee="shop", shop=CODES["r1"], amount="93800", method="transfer", paid_at=f"{p.g.day(2)}T12:00:00+08:00"), "P1 pays the shop")
    checks.equal(codes(paid), [], "93,800: less the deductible")
    accepted(f.shop("delivery", delivered_at=f"{p.g.day(3)}T17:00:00+08:00"), "handed over")
    cash = accepted(p.nguyen.insurer("p3", "payment", no="PAY-3", line="own_damage", payee="owner", amount="8000", method="transfer", paid_at=f"{p.g.day(3)}T12:00:00+08:00"), "P3 pays the third car's owner")
    checks.equal(codes(cash), [], "in cash, without a shop")


# -- day 7, day 30 --

def pictures(p):
    p.today(7)
    for item in ("diagram", "photos"):
        until(p, item, "available")


def analysis(p):
    checks.equal(p.desk.count("analysis"), 0, "not asked for before its day")
    p.today(30)
    until(p, "analysis", "available")
    checks.equal({i: p.desk.count(i) for i in ("slip", "diagram", "photos", "analysis")}, dict.fromkeys(("slip", "diagram", "photos", "analysis"), 1), "each paper left the police once")


# -- months later --

def opinions(p):
    """The board reverses the analysis, the board of review confirms the board; nothing is written over."""
    appraisal = opinion(p.g, "appraisal", "b1", 75, "minor", "main", "none", requested_at=p.g.day(35))
    p.today(75)
    refused(p.g.push(opinion(p.g, "appraisal", "k1", 75, "minor", "main", "none"), "k1"), 422, "agency-jurisdiction", "the police appraise nothing")
    refused(p.g.push(opinion(p.g, "reappraisal", "b1", 75, "minor", "main", "none"), "b1"), 422, "agency-jurisdiction", "a board does not review itself")
    posing = p.g.push(appraisal, "k1")
    checks.that(posing.code() in ("signer-wrong-organisation", "signer-unknown"), f"nobody signs for the board: {posing}")
    accepted(p.g.push(appraisal, "b1"), "the appraisal")
    p.today(120)
    accepted(p.g.push(opinion(p.g, "reappraisal", "b2", 120, "minor", "main", "none", requested_at=p.g.day(90)), "b2"), "the re-appraisal")
    want = [("preliminary", ["main", "minor", "none"]), ("appraisal", ["minor", "main", "none"]), ("reappraisal", ["minor", "main", "none"])]
    for code, filing in (("p1", p.wang), ("p2", p.lee), ("p3", p.nguyen)):
        seen = seen_by(p.g, checks, code, filing.claim(code))[0]["case"]["accident"]["opinions"]
        checks.equal([(one["level"], [f["degree"] for f in one["findings"]]) for one in seen], want, f"{code} reads all three, side by side")
    sides = {"main": p.wang, "minor": p.lee, "none": p.nguyen}
    for degree, filing in sides.items():
        mine = filing.seen_by("app", filing.code).json()["content"]["accident"]["opinions"]
        checks.equal([len(one["findings"]) for one in mine], [1, 1, 1], "an owner reads what is said of himself")
        checks.equal(mine[0]["findings"][0]["degree"], degree, f"the police's word on {filing.plate}")
    checks.that("opinions" not in p.wang.seen_by("r1").body.decode(), "the shop reads no opinion")


def main():
    with AccidentGateway() as g:
        p = Play(g)
        for step in (filings, slip, repair, pictures, analysis, opinions):
            print(step.__name__, flush=True)
            step(p)
        p.desk.close()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
