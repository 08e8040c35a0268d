"""Scenario 7: three cars, property only (A3).  Each owner files for his car, the shop and the insurers go on; the police's papers come on their days, the appraisal reverses the preliminary analysis,
the re-appraisal confirms it, and all three stand side by side; the owners settle without the liability insurer, the insurers that paid ask the others for their share.

The play, in order: `filings`, `slip`, `repair`, `pictures`, `analysis`, `opinions`, `settlement`, `recourse`, `refusals`, `views`.
Expected projections: tests/flow/scenarios/7-<party>.json; CLAIMGATE_WRITE=1 writes them anew."""
import hashlib
import json
import re
import sys

import motor
from accidents import K1, AccidentGateway, Desk, application, expect_file, item, mandate, party, record, seen_by
from motor import CODES, Filing, line
from support import Checks, wait_until

checks = Checks()
NO = "11511AC70001"
WANG, LEE, NGUYEN = (motor.PEOPLE[name] for name in ("person-wang", "person-lee", "person-nguyen"))
PARTIES = [party(1, WANG, "B03", phone=WANG["phone"], vehicle={"plate": "BAA-1001", "insurer_ubn": CODES["p1"]}),
           party(2, LEE, "B03", phone=LEE["phone"], vehicle={"plate": "BBB-2002", "insurer_ubn": CODES["p2"]}),
           party(3, NGUYEN, "B12", vehicle={"plate": "CCC-3003", "insurer_ubn": CODES["p3"]})]
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
        self.accident = {"occurred": f"{g.day(0)}T08:30:00+08:00", "place": "沙箱市中正區忠孝路與復興路口", "agency": K1, "no": NO}

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
    hers = accepted(p.lee.begin(claims=(("p2", "own_damage"),), accident={**p.accident, "narrative": "前車急煞。"}, shop=None, damage=[{"area": "前保險桿", "severity": "破裂"}]), "Lee files")
    third = accepted(p.nguyen.begin(claims=(("p3", "own_damage"),), accident={**p.accident, "narrative": "被波及。"}, kind="自用小貨車", shop=None, damage=[{"area": "後車門", "severity": "刮傷"}]), "Nguyen files")
    p.case = mine["case"]
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
        until(p, "slip", "available")  # by the first of the mandates, for all
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


def settlement(p):
    """Wang and Lee settle what his insurer left to him; no liability insurer took part (Insurance Act 93).  Each owner signs and files it for himself."""
    head = [{"kind": "property", "amount": "2100"}, {"kind": "other", "amount": "3500"}]
    paper = dict(no="S-1", kind="和解", date=p.g.day(121), between=[WANG, LEE], total="5600", heads=head, includes_cali="no", insurer_took_part=False,
                 waiver="雙方就本件車損其餘請求均拋棄，但不及於保險人已給付部分之代位求償。")
    p.today(121)
    his = accepted(p.wang.of_owner("settlement", **paper), "Wang's signed settlement")
    checks.equal(codes(his), ["settlement-without-insurer"], "without the insurer it does not bind it: noted")
    hers = accepted(p.lee.of_owner("settlement", **{**paper, "total": "9999"}), "Lee's, with a slip of the pen")
    checks.equal(codes(hers), ["sum-differs", "settlement-without-insurer"], "heads that do not come to the total are noted")
    checks.equal(codes(accepted(p.lee.of_owner("settlement", revision=2, **paper), "and corrected")), ["settlement-without-insurer"], "the sum is right")
    refused(p.nguyen.of_owner("settlement", **paper), 422, "settlement-party", "a settlement of others is none of this filing")


def recourse(p):
    """P1 asks P2 for 70 % of what it paid; P3 asks both others; together never more than was paid."""
    p.today(122)
    asked = dict(kind="own_damage_53", line="own_damage", against=CODES["p2"], paid="93800", percent="70", amount="65660", paid_on=p.g.day(2))
    said = accepted(p.wang.insurer("p1", "recourse", path=f"/v1/claims/{p.wang.claim('p1')}/recourse", **asked), "P1 asks P2")
    checks.equal(codes(said), [], "93,800 × 70 % = 65,660")
    p.wang.claims[CODES["p2"], "liability_property"] = said["claims"][0]["claim"]
    path = f"/v1/claims/{p.nguyen.claim('p3')}/recourse"
    third = dict(kind="own_damage_53", line="own_damage", paid="8000", paid_on=p.g.day(3))
    checks.equal(codes(accepted(p.nguyen.insurer("p3", "recourse", path=path, against=CODES["p2"], percent="70", amount="5600", **third), "P3 asks P2")), [], "8,000 × 70 %")
    second = accepted(p.nguyen.insurer("p3", "recourse", path=path, against=CODES["p1"], percent="30", amount="2400", **third), "and P1 for the rest")
    checks.equal(codes(second), [], "5,600 + 2,400 is what was paid")
    p.nguyen.claims[CODES["p1"], "liability_property"] = second["claims"][0]["claim"]
    more = accepted(p.nguyen.insurer("p3", "recourse", path=path, against=CODES["p1"], percent="40", amount="3200", revision=2, **third), "P3 corrects to 40 %")
    checks.equal(codes(more), ["recourse-above-paid"], "5,600 + 3,200 is more than was paid: noted")
    accepted(p.nguyen.insurer("p3", "recourse", path=path, against=CODES["p1"], percent="30", amount="2400", revision=3, **third), "and back")
    odd = accepted(p.wang.insurer("p1", "recourse", path=f"/v1/claims/{p.wang.claim('p1')}/recourse", revision=2, **{**asked, "paid": "100000", "amount": "70000"}), "another sum than was paid")
    checks.equal(codes(odd), ["paid-differs"], "is noted")
    accepted(p.wang.insurer("p1", "recourse", path=f"/v1/claims/{p.wang.claim('p1')}/recourse", revision=3, **asked), "and corrected")


def refusals(p):
    g = p.g
    refused(p.wang.insurer("p3", "approval", line="own_damage", version=1, lines=[{"no": "1", "amount": "1"}], total="1", payable="1"), 404, "not-found", "P3 approves nothing of a car that it does not insure")
    refused(p.wang.insurer("p2", "payment", no="X", line="own_damage", payee="owner", amount="1", method="transfer", paid_at=f"{g.day(3)}T12:00:00+08:00"), 404, "not-found", "nor does P2 pay in Wang's filing")
    refused(p.lee.shop("estimate", version=1, lines=ESTIMATE, total="84500"), 404, "not-found", "the shop has no order of Lee's")
    refused(p.wang.shop("estimate", version=2, lines=ESTIMATE, total="84500"), 409, "repair-invoiced", "nor a further version after its invoice")
    stolen = Filing(g, "person-lee", "BBB-2002", number=p.wang.number, written=p.wang.written)
    refused(stolen.of_owner("damage", no="9", plate="BAA-1001", damage=[{"area": "車頂"}]), 404, "not-found", "Lee adds nothing to Wang's filing")
    refused(p.wang.insurer("p2", "recourse", path=f"/v1/claims/{p.wang.claim('p1')}/recourse", kind="own_damage_53", line="own_damage", against=CODES["p1"], paid="1", amount="1", paid_on=g.day(2)), 404,
            "not-found", "P2 asks nothing by P1's claim")
    life(p)
    same_picture(p)


def life(p):
    """Wang's life insurer paid him too; what it paid it keeps (Insurance Act 103)."""
    who = {k: WANG[k] for k in ("identifiers", "name", "birth_date")}
    filed = p.g.apply(application(who, [item(CODES["l1"], "life", ["death"], ["certificate"])]), "person-wang")
    claim = filed.json()["claims"][0]["claim"]
    before = p.g.events("p2")
    answer = p.wang.insurer("l1", "recourse", path=f"/v1/claims/{claim}/recourse", kind="own_damage_53", line="own_damage", against=CODES["p2"], paid="1000", amount="1000", paid_on=p.g.day(2))
    refused(answer, 422, "recourse-barred", "a life insurer has no recourse")
    checks.that("INS-103" in answer.body.decode(), "by the rule that is named")
    checks.equal(p.g.events("p2"), before, "P2 hears nothing of it")


def same_picture(p):
    """The photo of this damage, filed again for another accident: both insurers look, neither learns of the other case."""
    again = Filing(p.g, "person-lee", "DDD-4004", written=p.wang.written)
    filed = accepted(again.begin(claims=(("p2", "own_damage"),), accident={"occurred": f"{p.g.day(100)}T09:00:00+08:00"}, photos=[motor.upload(p.g, "app", motor.jpeg(4000, seed=7))], shop=None), "another accident")
    checks.equal(codes(filed), ["photo-reused"], "the picture is known")
    checks.that(filed["case"] != p.case, "the accidents stay apart")
    checks.equal([e["type"] for e in p.g.events("p1")][-1], "photo.reused", "P1 is told that its picture stands elsewhere")
    seen = again.claim_seen_by("p2", again.claim("p2"))
    checks.equal([(f["code"], f["severity"]) for f in seen.json()["case"]["findings"]], [("photo-reused", "hold")], "P2 has the finding, on hold")
    checks.that("BAA-1001" not in seen.body.decode() and "王沙箱" not in seen.body.decode(), "and nothing of the other case")


# -- what each party sees --

def projection(answer, name):
    """The bytes of one member of an answer."""
    text = answer.body.decode()
    start = text.index(f'"{name}":{{') + len(name) + 3
    return re.sub(rb'"pic-[0-9a-z]+"', b'"pic"', text[start:json.JSONDecoder().raw_decode(text, start)[1]].encode())


def views(p):
    g = p.g
    claims = {"p1": (p.wang, "p1", "own_damage"), "p2": (p.lee, "p2", "own_damage"), "p3": (p.nguyen, "p3", "own_damage"), "p2-recourse": (p.wang, "p2", "liability_property"),
              "p1-recourse": (p.nguyen, "p1", "liability_property")}
    seen = {name: filing.claim_seen_by(code, filing.claim(code, line_)) for name, (filing, code, line_) in claims.items()}
    seen |= {"shop": p.wang.seen_by("r1"), "app": p.wang.seen_by("app")}
    seen |= {f"owner-{name}": filing.seen_by("app", filing.code) for name, filing in (("wang", p.wang), ("lee", p.lee), ("nguyen", p.nguyen))}
    for name, answer in seen.items():
        checks.equal(answer.status, 200, f"{name} reads: {answer}")
        expect_file(g, checks, f"7-{name}", projection(answer, "case" if name in claims else "content"))
    text = {name: answer.body.decode() for name, answer in seen.items()}

    for word in ("王沙箱", "李沙箱", "NGUYEN", "A190130001", "POL-p1", "opinions", "narrative", "BBB-2002", "CCC-3003", "settlements", "recourse"):
        checks.that(word not in text["shop"], f"the shop reads no {word}")
    for name in text:
        checks.that("encounters" not in text[name] and "diagnoses" not in text[name], f"{name}: there is no medical section for anybody")
    for name in ("p2", "p3", "p2-recourse", "p1-recourse", "owner-lee", "owner-nguyen"):
        checks.that("approvals" not in text[name] and "POL-p1" not in text[name], f"{name}: neither P1's approvals nor its policy")
    for name in ("p2", "p3", "owner-lee", "owner-nguyen", "p1-recourse"):
        checks.that("93800" not in text[name] and "INV-7" not in text[name] and p.wang.number not in text[name], f"{name}: nothing of Wang's filing")
    for name in ("p3", "p1-recourse", "owner-nguyen", "shop"):
        checks.that("5600" not in text[name].replace('"amount":"5600"', "", 1) or name == "p3", f"{name}: not what Wang and Lee settled")
        checks.that("拋棄" not in text[name], f"{name}: nor what they waived")
    checks.that("93800" in text["p2-recourse"] and "65660" in text["p2-recourse"] and "拋棄" in text["p2-recourse"], "P2 reads what P1 paid and asks, and what the owners settled")
    checks.equal([one["filing"] for one in (json.loads(text[f"owner-{n}"]) for n in ("wang", "lee", "nguyen"))], [f.number for f in (p.wang, p.lee, p.nguyen)], "each owner has the number of his own filing")
    for name, (filing, code, line_) in claims.items():
        again = filing.claim_seen_by(code, filing.claim(code, line_))
        checks.equal((again.status, again.json().get("attestation")), (200, seen[name].json()["attestation"]), f"{name}: read again, the same bytes (it was 503 where a paper of another side was left out)")
    strangers(p)
    people(p)


def strangers(p):
    for code in ("l1", "l2", "h1", "k1", "b1", "fund"):
        answer = p.wang.seen_by(code)
        checks.that(answer.status in (403, 404), f"{code} finds no filing: {answer}")
    for code in ("l2", "fund"):
        checks.equal(p.g.events(code), [], f"{code} was told of nothing")
    told = [e["type"] for e in p.g.events("r1")]
    checks.equal(told, ["filing.opened", "repair.approved", "repair.approved", "document.available"], f"the shop was told of its order: the approvals and the payment {told}")
    for code, filing, papers in (("p2", p.lee, 2), ("p3", p.nguyen, 1)):
        mine = [d["kind"] for d in json.loads(filing.claim_seen_by(code, filing.claim(code)).body)["documents"]]
        checks.equal(mine.count("motor-filing"), 1, f"{code} has one filing, its own {mine}")
        checks.equal((mine.count("motor-repair"), mine.count("accident-part")), (0, 6), f"{code}: no repair of another's car, all six papers of the accident {mine}")


def people(p):
    """`GET /v1/track`: each owner reads his own claims and papers, and who received them."""
    for filing, insurers in ((p.wang, {CODES["p1"], CODES["p2"]}), (p.lee, {CODES["p2"]}), (p.nguyen, {CODES["p3"], CODES["p1"], CODES["p2"]})):
        seen = p.g.call("GET", "/v1/track", headers={"X-Track-Token": filing.code}, token=p.g.token("app")).json()
        checks.equal({c["recipient"]["code"] for c in seen["claims"]}, insurers, f"{filing.plate}: claims of this owner alone")
        kinds = [d["kind"] for d in seen["documents"]]
        checks.equal((kinds.count("motor-filing"), kinds.count("permission")), (1, 1), f"{filing.plate}: his filing, his mandate {kinds}")
        checks.equal("motor-repair" in kinds, filing is p.wang, f"{filing.plate}: repairs of his own car")
        names = {r["recipient"] for r in seen["received_by"]}
        checks.equal(any("修理廠" in n for n in names), filing is p.wang, f"{filing.plate}: who received his papers {names}")


def main():
    with AccidentGateway() as g:
        g.findings = ("time-differs", "place-differs", "photo-reused")  # as the owners tell it
        p = Play(g)
        for step in (filings, slip, repair, pictures, analysis, opinions, settlement, recourse, refusals, views):
            print(step.__name__, flush=True)
            step(p)
        p.desk.close()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
