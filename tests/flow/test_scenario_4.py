"""Scenario 4: car and motorcycle (A2).  Rider and pillion are hurt; slip at once, diagram and photos after a week, analysis after a month, each on a permission of its own with counted uses; the
rider claims from the car's insurer, the pillion from both jointly; what counts of the receipts, of which two are pictures that nobody signed, and what is left for the health insurance.  P1 may not pay its
half only.  The shop that repairs the motorcycle sees plate and damage.

Not played here: the health insurer's own projection (the sandbox has no such partner)."""
import sys

import test_mydata
from accidents import (C1, H2, K1, L2, LEE, P1, P3, WANG, AccidentGateway, Desk, application, changed, claims_of, expect_file, item, line, mandate, moved, party, points_line, record, resource_of,
                       seen_by, send, decide, tell, with_lines)
from motor import SECRET, Filing, jpeg, upload
from support import Checks, compact, wait_until

checks = Checks()
NHIA = "A99210000I"
NO = "11511AC40001"
ITEMS = ("slip", "diagram", "photos", "analysis")
PAPERS = ("accident-part", "certificate", "receipt")
DRIVER = {"name": "張沙箱", "identifiers": [{"system": "http://www.moi.gov.tw", "value": "C190140009"}], "birth_date": "1980-01-01"}
PARTIES = [party(1, None, "B03", name=DRIVER["name"], vehicle={"plate": "AAA-4001", "insurer_ubn": P1}, injury_degree={"code": "3"}, hit_and_run={"code": "1"}),
           party(2, WANG, "C03", vehicle={"plate": "BBB-4002", "insurer_ubn": P3}, injury_degree={"code": "2"}, main_injury={"code": "8"}),
           party(3, LEE, "H02", rides_with=2, injury_degree={"code": "2"}, main_injury={"code": "8"})]
DRAWING, PHOTO = b"%PDF-1.7 crossing", b"\xff\xd8\xff\xe0" + b"crossing" * 900 + b"\xff\xd9"
HOSPITAL = [line("住院部分負擔", 3400, payer="copay", nhi="ward"), line("病房費差額", 8000, "room_difference", nhi="ward", units=4), line("膳食費", 800, "meals", units=4), line("輔助器材", 26000, "device", nhi="material"), points_line("手術及處置", 180000)]
CLINIC = [line("義齒", 36000, "denture", nhi="material", units=2)]


def attachment(data, kind):
    import hashlib
    return {"sha256": hashlib.sha256(data).hexdigest(), "media": "application/octet-stream", "bytes": len(data), "kind": kind}


def police(g):
    desk = Desk(g)
    desk.keep(record(g, NO, "slip", PARTIES, casualties={"dead_24h": 0, "injured": 2}))
    desk.keep(record(g, NO, "diagram", [party(1), party(2), party(3)], attachments=[attachment(DRAWING, "diagram")]), [DRAWING])
    desk.keep(record(g, NO, "photos", [party(1), party(2), party(3)], attachments=[attachment(PHOTO, "photo")]), [PHOTO])
    desk.keep(record(g, NO, "analysis", [party(1), party(2), party(3)],
                     opinions=[{"issued": g.day(30), "binding": False, "findings": [{"party": 1, "degree": "main"}, {"party": 2, "degree": "minor"}, {"party": 3, "degree": "none"}]}]))
    g.set_options("k1", records_url=desk.url)
    return desk


def hospital_papers(g):
    """Certificate and receipt of the second hospital for both, the clinic's receipt for the rider."""
    rider, pillion = g.samples("90"), g.samples("170")
    four_days = {"certificate": lambda body: shortened(moved(g, body), 3), "receipt": lambda body: shortened(moved(g, body), 3)}
    clinic = next(d for seed in range(200, 600) for d in g.samples(str(seed)) if d.author == "c1" and "receipt" in d.name and not d.is_xml and b"A190130001" in d.body)
    return [(four_days["certificate"](rider[0].body), "h2-dr-wu", "h2"), (four_days["receipt"](with_lines(rider[1], HOSPITAL)), "h2", "h2"),
            (moved(g, with_lines(clinic, CLINIC), 5), "c1", "c1"), (four_days["certificate"](pillion[0].body), "h2-dr-wu", "h2"),
            (four_days["receipt"](with_lines(pillion[1], HOSPITAL[:2])), "h2", "h2")]


def shortened(body, days):
    """The stay ends so many days after it began."""
    import datetime

    def shorten(resource):
        if resource["resourceType"] != "Encounter":
            return
        start = resource["period"]["start"]
        end = (datetime.date.fromisoformat(start[:10]) + datetime.timedelta(days=days)).isoformat() + "T16:00:00+08:00"
        resource["period"]["end"] = end
        resource["length"] = {**resource.get("length", {}), "value": days + 1}
        for place in resource.get("location", []):
            place["period"] = {"start": start, "end": end}
    return changed(body, shorten)


def references(papers, *which):
    return [{"author": {"h2": H2, "c1": C1}[papers[i][2]], "kind": "visit_no", "value": resource_of(papers[i][0], "Encounter")["identifier"][0]["value"]} for i in which]


def ask(g, who, claim, *items):
    answer = g.post(who, "/v1/record-requests", {"claim": claim, "holder": K1, "subject": {"accident_no": NO, "occurred": g.day(0)}, "items": list(items)})
    checks.equal(answer.status, 202, f"{who} asks for {items}: {answer}")
    return {a["item"]: a["id"] for a in answer.json()["data"]}


def state(g, who, one):
    return g.get(who, f"/v1/record-requests/{one}").json()["state"]


def permit(g, uses):
    given = {**application(WANG, [], [{"author": K1, "kind": "accident_no", "value": NO}], [mandate(K1, WANG, ["accident-part"], uses=uses)])}
    answer = g.permit(given, "person-wang")
    checks.equal(answer.status, 201, f"the rider permits {uses} more {answer}")


def until(g, who, one, wanted, text):
    checks.that(wait_until(lambda: state(g, who, one) == wanted), f"{text}: {state(g, who, one)}")


def three_permissions(g, desk, claims):
    """Day 0, 7 and 30: each permission is used up by what is fetched on it; the one that is missed is waited for."""
    mine = ask(g, "p1", claims[P1, "cali"], *ITEMS)
    until(g, "p1", mine["slip"], "available", "the slip on the first permission")
    g.go_to_day(7)
    checks.equal({i: state(g, "p1", mine[i]) for i in ("diagram", "photos")}, dict.fromkeys(("diagram", "photos"), "permission_needed"), "its one use is spent")
    permit(g, 2)
    for i in ("diagram", "photos"):
        until(g, "p1", mine[i], "available", f"{i} on the second")
    g.go_to_day(31)
    checks.equal(state(g, "p1", mine["analysis"]), "permission_needed", "the third was missed: the person is waited for")
    checks.equal(desk.count("analysis"), 0, "and the agency not asked")
    permit(g, 1)
    until(g, "p1", mine["analysis"], "available", "the analysis when he permits it after all")
    checks.equal({i: desk.count(i) for i in ITEMS}, dict.fromkeys(ITEMS, 1), "each fetched once")


def health_insurance(g, claim):
    """The National Health Insurance recoups from P1 (健保法 95 I): it is told by law, and sees what it paid, when, and for which accident."""
    told = g.post("p1", f"/v1/claims/{claim}/notices", {"to": NHIA, "basis": "nhi_95i"})
    checks.equal(told.status, 201, f"P1 tells the health insurance {told}")
    checks.equal(g.post("p1", f"/v1/claims/{claim}/notices", {"to": L2, "basis": "nhi_95i"}).code(), "recipient-unknown", "the article names nobody else")
    case, body = seen_by(g, checks, "nhia", told.json()["claim"])
    expect_file(g, checks, "4-rider-nhia", body)
    checks.that(b'"diagnoses"' not in body and b'"billed"' not in body and b'"points"' in body, "points and dates; no diagnosis, and not what the rider paid himself")


def fourth_pull(g, platform):
    """MyData itself: a permission that is used gives nothing, the fourth time as the second."""
    app = test_mydata.App(g, platform)
    platform.packages["slip"] = [(200, test_mydata.package(g), {})]
    one = app.begin()
    app.notice(one, "slip")
    app.until(one, "done", "refused")
    for _ in range(3):
        pulled = g.post("app", f"/v1/mydata-requests/{one['id']}/pull", {})
        checks.equal((pulled.status, pulled.code()), (403, "permission-used"), "a pull on a used permission")
    checks.equal(app.fetches("slip"), 1, "the platform saw one fetch")


def play(g, platform):
    desk = police(g)
    papers = hospital_papers(g)
    motor = ("accident-part", "certificate", "receipt", "attachment")
    rider = application(WANG, [item(P1, "cali", ["cali_medical"], motor), item(L2, "injury", ["injury_medical"], motor)],
                        [{"author": K1, "kind": "accident_no", "value": NO}, *references(papers, 0, 2)], [mandate(K1, WANG, ["accident-part"], uses=1)], {"kind": "traffic"})
    filed = g.apply(rider, "person-wang")
    checks.equal(filed.status, 201, f"the rider claims from the car's insurer {filed}")
    claims = claims_of(filed)
    three_permissions(g, desk, claims)
    for body, signer, sender in papers:
        checks.equal(send(g, body, signer, sender).status, 201, f"{sender}'s paper")
    pictures = unsigned(g, filed.json()["case"], claims)
    pillion = application(LEE, [item(P1, "cali", ["cali_medical"], motor), item(P3, "cali", ["cali_medical"], motor)],
                          [{"author": K1, "kind": "accident_no", "value": NO}, *references(papers, 3)], event={"kind": "traffic"})
    second = g.apply(pillion, "person-lee")
    checks.equal(second.status, 201, f"the pillion claims from both {second}")
    both = claims_of(second)
    checks.that(both[P1, "cali"] != claims[P1, "cali"], "two people of one accident have a claim each at the same insurer (once the second was given the first one's)")

    seen = {}
    for name, who, claim in (("rider-p1", "p1", claims[P1, "cali"]), ("rider-l2", "l2", claims[L2, "injury"]), ("pillion-p1", "p1", both[P1, "cali"]), ("pillion-p3", "p3", both[P3, "cali"])):
        seen[name], body = seen_by(g, checks, who, claim)
        expect_file(g, checks, f"4-{name}", body)
    health_insurance(g, claims[P1, "cali"])
    marked(g, seen, claims, pictures)
    shop(g)
    names(g, seen)
    amounts(g, seen)
    refusals(g, claims, both)
    fourth_pull(g, platform)
    desk.close()


def picture(g, case, person, data, kind="receipt", sender="app", receipt=None):
    return g.post(sender, "/v1/images", {"case": case, "person": person, "kind": kind, "sha256": upload(g, sender, data)["sha256"], **({"receipt": receipt} if receipt else {})})


def carer(g):
    return {"kind": "nursing", "no": "C-001", "issued": g.day(12), "lines": [{"text": "看護費", "category": "nursing", "units": 10, "amount": 24000}], "total": 24000}


def unsigned(g, case, claims):
    """Receipts of a carer and of a taxi, photographed, and a photo of the scene: nobody signed them."""
    files = {name: jpeg(30_000, seed) for name, seed in (("nursing", 41), ("transport", 42), ("scene", 43))}
    taxi = {"kind": "transport", "issued": g.day(6), "lines": [{"text": "接送費", "category": "transport", "amount": 3200}]}
    sent = {"nursing": picture(g, case, WANG, files["nursing"], receipt=carer(g)), "transport": picture(g, case, WANG, files["transport"], receipt=taxi), "scene": picture(g, case, WANG, files["scene"], "scene")}
    for name, answer in sent.items():
        checks.equal((answer.status, answer.json().get("level"), answer.json().get("outcome")), (201, "unsigned", "accepted"), f"{name}: taken as what it is {answer}")
    checks.that(claims[P1, "cali"] in [e["claim"] for e in g.events("p1") if e.get("document") == sent["nursing"].json()["document"]], "P1 is told of the carer's receipt")
    again = picture(g, case, WANG, files["nursing"], receipt=carer(g))
    checks.equal((again.status, again.json()["outcome"], again.json()["receipt"]), (200, "duplicate", sent["nursing"].json()["receipt"]), "the same again: the same receipt")
    unsigned_refusals(g, case, files)
    return files, {name: a.json()["image"] for name, a in sent.items()}


def unsigned_refusals(g, case, files):
    digest = upload(g, "app", files["nursing"])["sha256"]
    said = {"case": case, "person": WANG, "kind": "receipt", "sha256": digest, "receipt": carer(g)}

    def refused(change, status, code, text, sender="app"):
        answer = g.post(sender, "/v1/images", {**said, **change})
        checks.equal((answer.status, answer.code()), (status, code), f"{text} {answer}")

    refused({"sha256": "0" * 64}, 422, "attachment-missing", "a picture that never came")
    drawing = b"%PDF-1.7 receipt"
    refused({"sha256": upload(g, "app", drawing, "application/pdf")["sha256"]}, 422, "image-form", "no picture: no copy without its data can be made")
    refused({"person": {"identifiers": [{"system": "http://www.moi.gov.tw", "value": "B280120005"}]}}, 404, "not-found", "a person who claims nothing here")
    refused({"case": "case-01m7z5w4v5ehnrqa0mwmwa3r6j"}, 404, "not-found", "another case")
    refused({"kind": "scene"}, 422, "schema-invalid", "a scene is no receipt")
    refused({"receipt": {**carer(g), "kind": "medical_receipt"}}, 422, "schema-invalid", "a hospital's receipt is signed")
    refused({"receipt": {**carer(g), "lines": []}}, 422, "schema-invalid", "a receipt of nothing")
    refused({"level": "verified-ocsp"}, 422, "schema-invalid", "nobody states his own level")
    refused({}, 403, "insufficient-scope", "an insurer sends none", sender="p1")


def marked(g, seen, claims, pictures):
    """In every projection they say that nobody signed them; the copies tell neither place nor camera; who has no permission for them sees nothing."""
    files, ids = pictures
    for name, who, claim in (("rider-p1", "p1", claims[P1, "cali"]), ("rider-l2", "l2", claims[L2, "injury"])):
        case = seen[name]["case"]
        papers = [d for d in case["documents"] if d["kind"] == "attachment"]
        checks.equal([d.get("unsigned") for d in papers], [True] * 3, f"{name}: the papers are marked")
        checks.that(not any(d.get("unsigned") for d in case["documents"] if d["kind"] != "attachment"), f"{name}: and no others")
        checks.equal({e["kind"]: (e.get("evidence"), e["original"]["form"]) for e in case["expenses"] if e["kind"] in ("nursing", "transport")}, dict.fromkeys(("nursing", "transport"), ("asserted", "image")),
                     f"{name}: so are the receipts")
        checks.that(not any("evidence" in e for e in case["expenses"] if e["kind"] == "medical_receipt"), f"{name}: the hospital's are not")
        checks.equal({i["evidence"] for i in case["images"]}, {"asserted"}, f"{name}: and the pictures")
        checks.equal({d["level"] for d in seen[name]["documents"] if d["kind"] == "attachment"}, {"unsigned"}, f"{name}: the level beside, too")
        checks.that(not any("original" in d for d in seen[name]["documents"] if d["kind"] == "attachment"), f"{name}: they have no original that proves anything")
        fhir = g.get(who, f"/fhir/r4/Claim/{claim}").json()
        checks.equal(sorted(i["productOrService"]["text"] for i in fhir["item"] if i.get("extension")), ["接送費", "看護費"], f"{name}: as FHIR each line says so")
        copy = g.get(who, f"/v1/claims/{claim}/images/{ids['nursing']}")
        checks.equal((copy.status, copy.media), (200, "image/jpeg"), f"{name}: the copy can be fetched")
        checks.that(SECRET not in copy.body and SECRET in files["nursing"] and copy.body.endswith(files["nursing"][-20_000:]), f"{name}: the picture whole, without what the camera wrote")
    for name in ("pillion-p1", "pillion-p3"):
        checks.that("images" not in seen[name]["case"] and not any(d["kind"] == "attachment" for d in seen[name]["case"]["documents"]), f"{name}: the rider's pictures are not the pillion's")
    checks.equal(g.get("p3", f"/v1/claims/{claims[P1, 'cali']}/images/{ids['nursing']}").status, 404, "nor P3's")
    checks.equal(g.get("p1", f"/v1/claims/{claims[P1, 'cali']}/images/pic-{ids['nursing'][4:][::-1]}").status, 404, "a handle that is nobody's")


def shop(g):
    """R1 repairs the rider's motorcycle: plate and damage, no person's papers."""
    f = Filing(g, plate="BBB-4002", order="R1-4002")
    begun = f.begin(claims=(("p2", "own_damage"),), accident={"occurred": f"{g.day(0)}T08:30:00+08:00"}, damage=[{"area": "前輪", "severity": "變形"}])
    checks.equal(begun.status, 201, f"the rider has the motorcycle repaired {begun}")
    view = f.seen_by("r1")
    text = view.body.decode()
    expect_file(g, checks, "4-rider-r1", compact(view.json()["content"]))
    checks.that("BBB-4002" in text and "前輪" in text, "the shop sees plate and damage")
    checks.that(not any(word in text for word in ("A190130001", "1988-05-12", "看護費", "S82", "POL-", "AAA-4001")), f"and nothing else {text}")


def names(g, seen):
    """Whom the police name by 統一編號 alone is called what the registry calls him, in both languages."""
    joint = {o["identifiers"][0]["value"]: (o["name"], o.get("name_en")) for o in (p.get("organisation") for p in seen["pillion-p1"]["case"]["parties"]) if o and o["kind"] == "insurer"}
    checks.equal(joint, {P1: ("沙箱第一產物保險股份有限公司", "Sandbox p1"), P3: ("沙箱第三產物保險股份有限公司", "Sandbox p3")}, "insurers by name, not by number")


def amounts(g, seen):
    advice = seen["rider-p1"]["case"]["claims"][0]["cali"]
    counted = {i["category"]: (int(i["stated"]["amount"]), int(i["eligible"]["amount"])) for i in advice["items"]}
    checks.equal(counted, {"copay": (3400, 3400), "room_difference": (8000, 6000), "meals": (800, 720), "denture": (36000, 20000), "nursing": (24000, 12000), "device": (26000, 20000),
                           "transport": (3200, 3200)}, "what counts of each item")
    checks.equal(sum(e for _, e in counted.values()), 65320, "65,320")
    checks.equal({i["category"]: i["unsigned"]["amount"] for i in advice["items"] if "unsigned" in i}, {"nursing": "24000", "transport": "3200"}, "and what of it nobody signed")
    checks.equal((advice["rule"], advice["nhi_headroom"]["amount"], advice.get("joint_with")), ("two", "134680", None), "from the other car's insurer alone; 134,680 is left")
    joint = seen["pillion-p3"]["case"]["claims"][0]["cali"]
    checks.equal((joint["rule"], len(joint.get("joint_with", []))), ("two", 1), f"the pillion: both jointly {joint}")
    checks.that("cali" not in seen["rider-l2"]["case"]["claims"][0], "the injury insurer sees nothing of the compulsory cover")
    checks.that("王沙箱" not in str(seen["pillion-p3"]["case"].get("expenses")) and "C190140009" not in str(seen), "P3 sees the pillion's receipts only")
    asked = {"accident_on": g.day(0), "vehicles": ["insured", "insured"], "person": {"place": "driver", "vehicle": 1}, "nhi_asked": 180000,
             "items": [{"category": c, "stated": s, "units": u} for (c, (s, _)), u in zip(counted.items(), [next((x for k, x in (("room_difference", 4), ("meals", 4), ("denture", 2), ("nursing", 10)) if k == c), 1) for c in counted])]}
    said = g.post("p1", "/v1/motor-advice", asked).json()
    checks.equal((said["fits"]["medical"], said["nhi"]["eligible"]), (65320, 134680), "the same by the rules asked for: of 180,000 the health insurance may take 134,680")


def refusals(g, claims, both):
    own = application(WANG, [item(P3, "cali", ["cali_medical"], PAPERS)], [{"author": K1, "kind": "accident_no", "value": NO}], event={"kind": "traffic"})
    answer = g.apply(own, "person-wang")
    checks.equal((answer.status, answer.code()), (422, "own-cali"), f"the rider does not claim from the own motorcycle's insurer {answer}")
    claim = both[P1, "cali"]
    checks.equal(tell(g, "p1", claim, "in_review").status, 200, "P1 reviews the pillion's claim")
    for change in ({"amount": "4700"}, {"amount": "9000", "reason": "CALI-36-2"}):
        half = decide(g, "p1", claim, outcome="approved", amount={"amount": change["amount"], "currency": "TWD"}, **({"reason": change["reason"]} if "reason" in change else {}))
        checks.equal((half.status, half.code()), (422, "joint-share"), f"P1 may not pay its share only {change} {half}")
    checks.that("22-1" in half.body.decode(), "by rule 22-1")
    whole = decide(g, "p1", claim, outcome="approved", amount={"amount": "9400", "currency": "TWD"})
    checks.equal(whole.status, 200, f"P1 pays the whole {whole}")
    told = g.post("p1", f"/v1/claims/{both[P1, 'cali']}/notices", {"to": P3, "basis": "cali-14-3"})
    checks.that(told.status in (200, 201), f"P1 tells P3 of the joint claim, by statute {told}")
    checks.equal(g.get("l2", f"/v1/claims/{claims[P1, 'cali']}").status, 404, "nobody reads another's claim")


def main():
    platform = test_mydata.Platform()
    g = AccidentGateway()
    from support import claimgate
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    test_mydata.set_up(g, platform)
    with g:
        play(g, platform)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
