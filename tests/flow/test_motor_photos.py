"""Photos of a motor filing: ten of them over connections that break at every tenth arrive byte for byte; others get copies that tell neither place nor camera; a picture
of another case is noticed by those concerned, without telling which case."""
import sys

import test_uploads
from motor import CODES, SECRET, Filing, jpeg, upload
from support import Gateway, sha256_hex

checks = test_uploads.check


def photo(g, party, f, photo_id, query="", code=None):
    headers = {"X-Track-Token": code} if code else {}
    return g.call("GET", f"/v1/motor-filings/{f.case}/photos/{photo_id}{query}", headers=headers, token=g.token(party))


def shown(answer, name="content"):
    return [p["photo_id"] for v in answer.json()[name]["vehicles"] for p in v.get("photos", []) if "photo_id" in p]


def ten_photos(g):
    """Five breaks in order, five torn: whatever was on its way, the rest follows and the file is the one that was declared."""
    f, uploader = Filing(g), test_uploads.Uploader(g, "app")
    files = [jpeg() for _ in range(10)]
    for i, data in enumerate(files):
        test_uploads.in_tenths(uploader, test_uploads.break_off if i % 2 else test_uploads.reset, data, i)
    words = [{"sha256": sha256_hex(d), "media": "image/jpeg", "area": f"角度{i}"} for i, d in enumerate(files)]
    missing = f.send(f.begin_paper(photos=[*words, {"sha256": "0" * 64, "media": "image/jpeg"}]), f.owner, "app")
    checks.equal((missing.status, missing.code()), (422, "attachment-missing"), "a photo that never arrived")
    answer = f.begin(photos=words, damage=[{"area": "後保險桿", "photos": [1, 2, 10]}])
    checks.equal(answer.status, 201, f"the filing with ten photos: {answer}")
    checks.equal(answer.json()["findings"], [], "and nothing to note")
    return f, files


def who_gets_what(g, f, files):
    shop, p1 = f.seen_by("r1"), f.claim_seen_by("p1", f.claim("p1"))
    ids = shown(shop)
    checks.equal(len(ids), 10, "the shop sees ten photos")
    checks.equal(shown(p1, "case"), ids, "the insurer sees the same")
    damage = shop.json()["content"]["vehicles"][0]["damage"][0]
    checks.equal(len(damage["photos"]), 3, "the damage says which show it")
    for data, photo_id in zip(files, ids):
        original = photo(g, "app", f, photo_id, "?original=true", f.code)
        checks.equal((original.status, original.body == data), (200, True), "the original is kept byte for byte, for who sent it")
    copies = {party: photo(g, party, f, ids[0], code=code) for party, code in (("r1", None), ("p1", None), ("app", f.code))}
    for party, copy in copies.items():
        checks.equal((copy.status, copy.media), (200, "image/jpeg"), f"{party} gets a picture: {copy.status}")
        checks.that(SECRET not in copy.body and b"adobe" not in copy.body and b"Photoshop" not in copy.body, f"{party} learns neither place nor camera")
    entropy = files[0][files[0].index(b"\xff\xda"):]
    checks.that(copies["r1"].body.endswith(entropy), "the picture itself is whole")
    checks.that(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06" in copies["r1"].body, "and still says how it is turned")
    for party in ("p2", "p3", "l1", "k1", "h1"):
        checks.that(photo(g, party, f, ids[0]).status in (403, 404), f"{party} gets nothing")
    checks.equal(photo(g, "r1", f, ids[0], "?original=true").status, 404, "the shop does not get the original of another")
    checks.equal(photo(g, "r1", f, "pic-" + ids[0][4:][::-1]).status, 404, "a handle that is nobody's")
    for file in g.dir.rglob("*"):
        if file.is_file() and file.stat().st_size > 1000:
            checks.that(files[0][5000:5100] not in file.read_bytes(), f"{file.name} holds a photo in clear")


def reused(g, first, files):
    """The owner of another car takes a picture of the first case, with other EXIF."""
    before = len(g.call("GET", "/v1/events", token=g.token("p1")).json()["data"])
    again = files[3].replace(SECRET, SECRET[::-1])
    checks.that(again != files[3], "the file is another")
    f = Filing(g, "person-lee", "BBB-2002")
    answer = f.begin(claims=(("p2", "own_damage"),), photos=[upload(g, "app", jpeg(50_000)), upload(g, "app", again)], shop=None)
    checks.equal(answer.status, 201, f"the other filing is accepted: {answer}")
    found = answer.json()["findings"]
    checks.equal([(x["code"], x["path"]) for x in found], [("photo-reused", "photos[1]")], "with a finding at the second photo")
    p2 = f.claim_seen_by("p2", f.claim("p2"))
    finding = p2.json()["case"]["findings"][0]
    checks.equal((finding["code"], finding["severity"], finding["pointer"]), ("photo-reused", "hold", "/vehicles/v1/photos/v1f2"), "its insurer sees it, and where")
    checks.that("同影像" in finding["text"]["zh"] or "相同影像" in finding["text"]["zh"], "in words")
    text = answer.body.decode() + p2.body.decode()
    checks.that(first.case not in text and first.number not in text and "BAA-1001" not in text and CODES["p1"] not in text, "nothing tells which case")
    events = g.call("GET", "/v1/events", token=g.token("p1")).json()["data"][before:]
    checks.equal([(e["type"], e["claim"]) for e in events], [("photo.reused", first.claim("p1"))], "the first case's insurer is told that its picture stands elsewhere")
    checks.that("document" not in events[0] and f.case not in str(events), "and nothing more")
    same = first.of_owner("damage", no="2", plate="BAA-1001", damage=[{"area": "車門"}], photos=[{"sha256": sha256_hex(files[3]), "media": "image/jpeg"}])
    checks.equal([x["code"] for x in same.json()["findings"]], ["photo-reused"], "the first case now shares it too")
    own = first.of_owner("damage", no="3", plate="BAA-1001", damage=[{"area": "車門"}], photos=[{"sha256": sha256_hex(files[4]), "media": "image/jpeg"}])
    checks.equal(own.json()["findings"], [], "the same picture twice in one case is none")


def other_files(g):
    f = Filing(g, "person-nguyen", "CCC-3003")
    heic = b"\0\0\0\x18ftypheic" + bytes(1000)
    broken = jpeg(5000)[:3000]
    answer = f.begin(photos=[upload(g, "app", heic, "image/heic"), upload(g, "app", broken), upload(g, "app", jpeg(5000))])
    checks.equal([x["code"] for x in answer.json()["findings"]], ["photo-not-shown"] * 2, "files without a copy are kept and noted")
    checks.equal(len(shown(f.seen_by("r1"))), 1, "and shown to nobody else")
    answer = f.shop("damage", no="1", damage=[{"area": "底盤", "photos": [1]}], photos=[upload(g, "r1", jpeg(5000, orientation=1))])
    checks.equal((answer.status, answer.json()["findings"]), (201, []), "the shop adds its own")
    checks.equal(len(shown(f.claim_seen_by("p1", f.claim("p1")), "case")), 2, "which the insurer sees")


def main():
    with Gateway() as g:
        g.findings = ("photo-reused",)
        f, files = ten_photos(g)
        who_gets_what(g, f, files)
        reused(g, f, files)
        other_files(g)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
