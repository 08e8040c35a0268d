"""`profile add`, `profile list`, `codes add`, `codes show`, `validate`, and `$validate` that says what the command says.

Packages are made here: good ones of two editions with windows, and what a network or an attacker would hand in: other bytes, parts, names that lead out of
the folder, an archive that unpacks to more than is allowed."""
import gzip
import io
import json
import pathlib
import re
import sys
import tarfile
import tempfile

from support import Checks, Gateway, claimgate

checks = Checks()
CORE = "http://hl7.org/fhir/StructureDefinition/"
PATIENT = "https://guide.example.tw/StructureDefinition/patient"
FEES = "https://guide.example.tw/CodeSystem/fees"


def profile(version, elements):
    return {"resourceType": "StructureDefinition", "url": PATIENT, "version": version, "name": "P", "status": "active", "kind": "resource", "abstract": False,
            "type": "Patient", "baseDefinition": CORE + "Patient", "derivation": "constraint", "differential": {"element": elements}}


def needs(name):
    return {"id": f"Patient.{name}", "path": f"Patient.{name}", "min": 1}


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def package(folder, file, manifest, definition):
    path = folder / file
    path.write_bytes(gzip.compress(archive({"package/package.json": manifest, "package/StructureDefinition-p.json": definition})))
    return path


def add(path, packs, *more, json_=True):
    return claimgate("profile", "add", path, "--dir", packs, *(["--json"] if json_ else []), *more, check=False)


def check_profiles(folder, packs):
    first = package(folder, "guide-1.0.0.tgz", {"name": "tw.example.guide", "version": "1.0.0"}, profile("1.0.0", [needs("name")]))
    second = package(folder, "guide-1.1.0.tgz", {"name": "tw.example.guide", "version": "1.1.0"}, profile("1.1.0", [needs("name"), needs("gender")]))
    made = add(first, packs, "--until", "2026-12-31")
    checks.equal(made.returncode, 0, "a package becomes a pack: " + made.stderr.decode())
    said = json.loads(made.stdout)
    checks.equal((said["name"], said["version"], said["left_out"]), ("tw.example.guide", "1.0.0", 0), "its name and version are said")
    checks.that(pathlib.Path(said["file"]).stat().st_size == said["bytes"] and said["bytes"] > 0, "the pack has the size that is said")
    checks.that((packs / "tw.example.guide-1.0.0.tgz").exists(), "the package is kept beside it")
    human = add(second, packs, "--from", "2027-01-01", json_=False)
    checks.that(re.fullmatch(rb"tw\.example\.guide 1\.1\.0: \S+\.pack, \d+ bytes\n", human.stdout), f"a line for people: {human.stdout}")
    listed = [json.loads(line) for line in claimgate("profile", "list", "--dir", packs, "--json").stdout.splitlines()]
    windows = {(p["name"], p["version"]): (p["valid_from"], p["valid_until"], p["profiles"]) for p in listed}
    checks.equal(listed[0]["name"], "hl7.fhir.r4.core", "base R4 first")
    checks.equal(windows[("tw.example.guide", "1.0.0")], (0, 20261231, 1), "the first edition's window")
    checks.equal(windows[("tw.example.guide", "1.1.0")], (20270101, 0, 1), "the second edition's window")
    checks.that(b"tw.example.guide" in claimgate("profile", "list", "--dir", packs).stdout, "the list for people")
    checks.equal(add(first, packs, "--from", "soon").returncode, 2, "a window is of days")
    checks.equal(claimgate("profile", "add", "--dir", packs, check=False).returncode, 2, "a package is needed")
    return first, second


def check_names(folder):
    """Found by this test: a manifest without version made NAME-.pack, and a name could lead out of the folder."""
    packs = folder / "names"
    for file, manifest, want in (("unnamed.tgz", {"name": "tw.example.none"}, "tw.example.none-0.pack"), ("guide-2.5.tgz", {"name": "tw.example.none"}, "tw.example.none-2.5.pack"),
                                 ("other-3.1.tgz", {}, "other-3.1.pack")):
        said = add(package(folder, file, manifest, profile("1", [])), packs)
        checks.equal(pathlib.Path(json.loads(said.stdout)["file"]).name if said.returncode == 0 else said.stderr, want, f"{file} {manifest}")
    for manifest in ({"name": "../../evil", "version": "1"}, {"name": "evil", "version": "../../1"}, {"name": ".evil", "version": "1"}, {"name": "a b", "version": "1"}):
        said = add(package(folder, "evil.tgz", manifest, profile("1", [])), packs)
        checks.equal((said.returncode != 0, b"name" in said.stderr), (True, True), f"{manifest} is no name of a file: {said.stderr}")
    checks.equal(sorted(p.name for p in folder.rglob("*evil*")), ["evil.tgz"], "nothing was written")


def check_hostile(folder):
    packs = folder / "hostile"
    good = gzip.compress(archive({"package/package.json": {"name": "a", "version": "1"}, "package/p.json": profile("1", [needs("name")])}))
    tar = gzip.decompress(good)
    broken = bytearray(tar)
    broken[3] ^= 1
    bomb = gzip.compress(bytes(8 << 20), 1) * 66
    outside = gzip.compress(archive({"package/package.json": {"name": "b", "version": "1"}, "../../outside.json": profile("1", []), "/tmp/outside.json": profile("2", [])}))
    cases = {"empty.tgz": b"", "text.tgz": b"no archive", "json.tgz": gzip.compress(json.dumps(profile("1", [])).encode()), "half.tgz": good[:len(good) // 2], "short.tgz": gzip.compress(tar[:1536]),
             "bits.tgz": gzip.compress(bytes(broken)), "bomb.tgz": bomb, "manifest.tgz": gzip.compress(archive({"package/package.json": b"{", "package/p.json": b"{}"}))}
    for name, body in cases.items():
        (folder / name).write_bytes(body)
        done = add(folder / name, packs)
        checks.that(done.returncode not in (0, 2) and done.returncode > 0, f"{name} is refused: {done.returncode}")
        checks.that(name.encode() in done.stderr, f"{name} is named: {done.stderr[:200]}")
    checks.equal(list(packs.glob("*")), [], "nothing of them stays")
    (folder / "outside.tgz").write_bytes(outside)
    checks.equal(add(folder / "outside.tgz", packs).returncode, 0, "names inside an archive are looked at, never opened")
    checks.equal([p.name for p in folder.parent.glob("outside.json")], [], "nothing is written outside")
    checks.equal(claimgate("validate", folder / "empty.tgz", "--pack", packs / "none.pack", check=False).returncode, 1, "a pack that is not there")
    torn = packs / "b-1.pack"
    torn.write_bytes(torn.read_bytes()[:-1])
    done = claimgate("profile", "list", "--dir", packs, check=False)
    checks.equal((done.returncode, b"b-1.pack" in done.stderr), (1, True), "a torn pack is named")


def check_codes(folder, packs):
    table = folder / "fees.csv"
    table.write_text('\ufeff診療項目代碼,中文項目名稱,支付點數,生效起日,生效迄日\r\n01015C,"急診診察費, 檢傷一級",1000,1130101,9991231\r\n01015C,急診診察費,900,110/01/01,112-12-31\r\n64001B,骨折開放復位術,9000,20260101,2026-06-30\r\n,空白,1,,\r\n', encoding="utf-8")
    words = ["--system", FEES, "--column", "診療項目代碼", "--display", "中文項目名稱", "--from", "生效起日", "--until", "生效迄日", "--version", "115", "--dir", packs]
    said = json.loads(claimgate("codes", "add", table, *words, "--json").stdout)
    checks.equal((said["codes"], said["rows_without_code"], said["version"]), (3, 1, "115"), "rows with and without code")
    checks.that(claimgate("codes", "add", table, *words).stdout.decode().startswith(f"{FEES}: 3 codes, "), "a line for people")
    shown = [json.loads(line) for line in claimgate("codes", "show", "01015C", "--system", FEES, "--dir", packs, "--json").stdout.splitlines()]
    checks.equal([(s["display"], s["valid_from"], s["valid_until"]) for s in shown], [("急診診察費", 20210101, 20231231), ("急診診察費, 檢傷一級", 20240101, 0)], "a code with two windows, days of the Republic, open end")
    absent = claimgate("codes", "show", "64001B", "X", "--system", FEES, "--dir", packs, check=False)
    checks.equal((absent.returncode, "骨折開放復位術" in absent.stdout.decode(), b"X  not in the list" in absent.stdout), (6, True, True), "what is not in the list is told")
    table.write_text("code,from\nA,2026-13-01\n")
    wrong = claimgate("codes", "add", table, "--system", "https://x/y", "--from", "from", "--dir", packs, check=False)
    checks.equal((wrong.returncode != 0, b"fees.csv:2" in wrong.stderr), (True, True), f"a day that is none, with its line: {wrong.stderr}")
    table.write_bytes("code\n\xb0\xea\n".encode("latin-1"))
    checks.that(claimgate("codes", "add", table, "--system", "https://x/y", "--dir", packs, check=False).returncode not in (0, 2), "a table that is not UTF-8")
    table.write_text("code\n")
    checks.that(claimgate("codes", "add", table, "--system", "https://x/y", "--dir", packs, check=False).returncode not in (0, 2), "a table without codes")
    checks.that(claimgate("codes", "add", table, "--system", "https://x/y", "--column", "none", "--dir", packs, check=False).returncode not in (0, 2), "a heading that is not there")
    # Lists of the National Health Insurance as their publishers name the columns.
    for name, head, row, code in (("departments", "就醫科別代碼,就醫科別名稱", "02,內科", "02"), ("benefits", "給付類別,說明", "1,職業傷害", "1"),
                                  ("drugs", "藥品代號,藥品中文名稱,有效起日,有效迄日", "AC12345100,某藥膜衣錠,1140101,9991231", "AC12345100"),
                                  ("institutions", "醫事機構代碼,醫事機構名稱", "0401180014,某某醫院", "0401180014")):
        table.write_text(f"{head}\n{row}\n")
        heads = head.split(",")
        more = ["--from", heads[2], "--until", heads[3]] if len(heads) == 4 else []
        claimgate("codes", "add", table, "--system", f"https://x/{name}", "--column", heads[0], "--display", heads[1], *more, "--dir", packs)
        checks.that(row.split(",")[1] in claimgate("codes", "show", code, "--system", f"https://x/{name}", "--dir", packs).stdout.decode(), f"{name}: {head}")


def coded(code):
    return {"resourceType": "Basic", "code": {"coding": [{"system": FEES, "code": code}]}}


def issues_of(done):
    return [json.loads(line)["issue"] for line in done.stdout.splitlines()]


def codes_of(issues):
    return [(i["severity"], i["details"]["coding"][0]["code"]) for i in issues if "coding" in i.get("details", {})]


def check_validate(folder, packs):
    file = folder / "patient.json"
    file.write_text('{"resourceType": "Patient",\n  "meta": {"profile": ["' + PATIENT + '"]},\n  "name": [{"text": "\u738b<b>"}],\n  "birthDate": "soon"}')
    loaded = [w for p in sorted(packs.glob("tw.example.guide-*.pack")) for w in ("--pack", p)]
    done = claimgate("validate", file, *loaded, "--on", "2026-11-21", check=False)
    text = done.stdout.decode()
    checks.equal(done.returncode, 6, "a wrong file")
    checks.that(f"{file}:4:16: error: Patient.birthDate" in text and '     4 |   "birthDate": "soon"}' in text and "^~~~~~" in text, f"place, line and mark as a compiler's:\n{text}")
    checks.that("= expected: a date" in text and "= found: " in text, "what was expected and found")
    zh = claimgate("validate", file, "--lang", "zh-TW", check=False).stdout.decode()
    checks.that("值不符合其型別的格式" in zh, "in Chinese")
    file.write_text(file.read_text().replace("soon", "2000-01-01"))
    now, = issues_of(claimgate("validate", file, *loaded, "--on", "2026-11-21", "--json"))
    checks.equal(codes_of(now), [("warning", "profile-refused-later")], "what the next window refuses is told")
    checks.that("2027-01-01" in json.dumps(now) and "1.1.0" in json.dumps(now), "with its edition and first day")
    later, = issues_of(claimgate("validate", file, *loaded, "--on", "2027-01-01", "--json", check=False))
    checks.equal(codes_of(later), [("error", "element-missing")], "and on that day it is refused")
    checks.equal(claimgate("validate", file, *loaded, "--on", "2027", check=False).returncode, 2, "a day is needed")
    both = issues_of(claimgate("validate", file, file, *loaded, "--on", "2026-11-21", "--json"))
    checks.equal(len(both), 2, "an outcome for each file")
    checks.equal(codes_of(issues_of(claimgate("validate", file, "--json"))[0]), [("information", "profile-not-loaded")], "a profile that is not loaded")
    checks.equal(claimgate("validate", file, "--strict", check=False).returncode, 6, "is an error where --strict asks")
    checks.equal(claimgate("validate", "--no-markup", file, check=False).returncode, 6, "markup, where --no-markup asks")
    checks.equal(claimgate("validate", file, *loaded, "--profile", PATIENT + "|9.9.9", check=False).returncode, 6, "a version that is not loaded can't be asked for")
    checks.equal(claimgate("validate", file, *loaded, "--profile", PATIENT + "|1.1.0", check=False).returncode, 6, "one that is judges")
    fees = [w for p in packs.glob("codes-*-115.pack") for w in ("--pack", p)]
    for code, day, want in (("01015C", "2026-01-01", []), ("64001B", "2026-06-30", []), ("64001B", "2026-07-01", ["warning"]), ("X", "2026-01-01", ["error"])):
        file.write_text(json.dumps(coded(code)))
        checks.equal([s for s, _ in codes_of(issues_of(claimgate("validate", file, *fees, "--on", day, "--json", check=False))[0])], want, f"the code {code} on {day}")
    file.write_text('{"resourceType":"Basic","code":{"text":"a"}}')
    checks.equal(claimgate("validate", "--quiet", file).stdout, b"", "nothing to say")
    checks.equal(claimgate("validate", file).stdout.decode(), f"{file}: 0 errors, 0 other findings\n", "the sum")
    checks.equal(claimgate("validate", check=False).returncode, 2, "a file is needed")
    checks.that(claimgate("validate", folder / "none.json", check=False).returncode not in (0, 2, 6), "a file that is not there")


def check_route(folder, packs):
    """`$validate` says what the command says, of good, bad and unreadable documents."""
    bodies = {"good": {"resourceType": "Patient", "meta": {"profile": [PATIENT + "|1.0.0"]}, "name": [{"text": "a"}]}, "missing": {"resourceType": "Patient", "meta": {"profile": [PATIENT + "|1.0.0"]}},
              "unknown": {"resourceType": "Patient", "nane": 1, "birthDate": "x", "extension": [{"url": "https://x/y", "valueCode": "a"}]}, "code": coded("X")}
    loaded = [w for p in sorted(packs.glob("*.pack")) for w in ("--pack", p)]
    file = folder / "same.json"
    with Gateway(settings=[f"fhir.profile_dir={packs}"]) as g:
        for name, body in bodies.items():
            file.write_text(json.dumps(body, indent=1))
            command = claimgate("validate", file, *loaded, "--json", check=False)
            answer = g.call("POST", f"/fhir/r4/{body['resourceType']}/$validate", file.read_bytes(), {"Content-Type": "application/fhir+json"}, g.token("h1"))
            checks.equal(answer.status, 200, f"$validate of {name}")
            checks.equal(answer.json().get("issue"), json.loads(command.stdout).get("issue"), f"{name}: route and command say the same")
            checks.equal(any(i["severity"] == "error" for i in answer.json()["issue"]), command.returncode == 6, f"{name}: and agree on the verdict")
        demand = g.call("POST", f"/fhir/r4/Patient/$validate?profile={PATIENT}%7C1.0.0", b'{"resourceType":"Patient"}', {"Content-Type": "application/fhir+json"}, g.token("h1"))
        file.write_bytes(b'{"resourceType":"Patient"}')
        command = claimgate("validate", file, *loaded, "--profile", PATIENT + "|1.0.0", "--json", check=False)
        checks.equal(demand.json().get("issue"), json.loads(command.stdout).get("issue"), "a profile that is asked for")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "work"
        packs = folder / "packs"
        folder.mkdir()
        check_profiles(folder, packs)
        check_names(folder)
        check_hostile(folder)
        check_codes(folder, packs)
        check_validate(folder, packs)
        check_route(folder, packs)
    return checks.done()


sys.exit(main())
