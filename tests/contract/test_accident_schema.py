#!/usr/bin/env python3
"""Signed sample records against openapi/accident-record.schema.json and, where xmllint is there, accident-record.xsd; with the optional
conformance data also: every row of the open data is in a record, its values unchanged, put together as its own list of cases says."""
import csv
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

BINARY = os.environ["CLAIMGATE_BINARY"]
SOURCE = os.environ["CLAIMGATE_SOURCE"]
SHARED = os.environ.get("CLAIMGATE_SHARED", os.path.join(SOURCE, "..", "shared"))
NS = "{https://claimgate.tw/accident-record/1}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}Signature"
LISTS = {"parties", "attachments", "opinions", "findings", "identifiers", "rule_cited", "impact_other", "causes"}

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)


def run(*words):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def sample(work, name, *words):
    out = os.path.join(work, name)
    told = json.loads(run("sample", "police", "--pki", os.path.join(work, "pki"), "--out", out, "--deterministic", "7", "--json", *words))
    assert told["refused"] == 0, told
    return out, told


def of_element(element):
    """An element as the JSON form would have it, numbers as text."""
    children = [c for c in element if c.tag != DSIG]
    if not children:
        return element.text or ""
    members = {}
    for child in children:
        name = child.tag.removeprefix(NS)
        if name in LISTS:
            members.setdefault(name, []).append(of_element(child))
        else:
            assert name not in members, name
            members[name] = of_element(child)
    return members


def records(folder):
    """(path, record with all values as text) in the order in which they were written."""
    def as_text(v):
        if isinstance(v, dict):
            return {k: as_text(x) for k, x in v.items()}
        if isinstance(v, list):
            return [as_text(x) for x in v]
        return {True: "true", False: "false"}[v] if isinstance(v, bool) else str(v)
    for path in sorted(glob.glob(os.path.join(folder, "0*.json")) + glob.glob(os.path.join(folder, "0*.xml"))):
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as f:
                yield path, as_text(json.load(f, parse_float=str, parse_int=str))
        else:
            yield path, of_element(ET.parse(path).getroot())


def check_schemas(folder, told):
    with open(os.path.join(SOURCE, "openapi/accident-record.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted(glob.glob(os.path.join(folder, "0*.json")))
    assert len(files) == told["jws"] + told["cms"] and files, told
    for path in files:
        with open(path, encoding="utf-8") as f:
            record = json.load(f)
        for error in validator.iter_errors(record):
            raise AssertionError((path, error.json_path, error.message))
    broken = [("accident_no", "a/b"), ("class", "A4"), ("revision", 0), ("occurred", "2026-01-01"), ("opinions", []), ("page", 1)]
    for name, value in broken:
        assert not validator.is_valid({**record, name: value}), name
    for name in ("agency", "parties", "casualties", "form_era"):
        assert not validator.is_valid({k: v for k, v in record.items() if k != name}), name
    xmllint = shutil.which("xmllint")
    if xmllint:
        xsd = os.path.join(SOURCE, "openapi/accident-record.xsd")
        done = subprocess.run([xmllint, "--noout", "--schema", xsd, *glob.glob(os.path.join(folder, "0*.xml"))], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    else:
        print("xmllint is not installed: the XSD is checked by unit.adapters.police_schema alone")


def check_headers(folder):
    for path, _ in records(folder):
        stem, form = os.path.splitext(path)
        with open(stem + ".headers", encoding="ascii") as f:
            header = f.read()
        if form == ".json":
            assert header.startswith(("X-JWS-Signature: ", "AUTH: ")) and header.count("\n") == 1, path
        else:
            assert header == "" and ET.parse(path).getroot().find(DSIG) is not None, path


def check_files(folder):
    for path, record in records(folder):
        for attachment in record.get("attachments", []):
            with open(os.path.join(folder, attachment["sha256"] + ".bin"), "rb") as f:
                data = f.read()
            assert str(len(data)) == attachment["bytes"] and data.startswith(b"\x89PNG"), path


# Columns of the open data: where the record has them; "!" marks those that are put together otherwise.
CASE = {"天候名稱": "weather", "光線名稱": "light", "道路類別-第1當事者-名稱": "road_class", "道路型態子類別名稱": "road_form",
        "事故位置子類別名稱": "position", "路面狀況-路面鋪裝名稱": "pavement", "路面狀況-路面狀態名稱": "surface",
        "路面狀況-路面缺陷名稱": "defect", "道路障礙-障礙物名稱": "obstacle", "道路障礙-視距品質名稱": "sight_quality",
        "道路障礙-視距名稱": "sight_distance", "號誌-號誌種類名稱": "signal", "號誌-號誌動作名稱": "signal_action",
        "車道劃分設施-分向設施子類別名稱": "direction_divider", "車道劃分設施-分道設施-快車道或一般車道間名稱": "lane_fast",
        "車道劃分設施-分道設施-快慢車道間名稱": "lane_slow", "車道劃分設施-分道設施-路面邊線名稱": "edge_line"}
MAJOR = {"道路型態大類別名稱": "road_form", "事故位置大類別名稱": "position", "車道劃分設施-分向設施大類別名稱": "direction_divider"}
PARTY = {"當事者區分-類別-子類別名稱-車種": "kind", "當事者屬-性-別名稱": "sex", "保護裝備名稱": "gear",
         "行動電話或電腦或其他相類功能裝置名稱": "device_use", "當事者行動狀態子類別名稱": "action", "車輛撞擊部位子類別名稱-最初": "impact_first",
         "肇因研判子類別名稱-個別": "cause_own", "肇事逃逸類別名稱-是否肇逃": "hit_and_run"}
PARTY_MAJOR = {"當事者區分-類別-大類別名稱-車種": "kind", "當事者行動狀態大類別名稱": "action", "車輛撞擊部位大類別名稱-最初": "impact_first",
               "肇因研判大類別名稱-個別": "cause_own"}


def value(owner, member, part="minor"):
    return owner.get(member, {}).get(part, "")


def same_row(row, record, party):
    stamp = row["發生日期"] + row["發生時間"]
    wanted = (f"{stamp[0:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]}+08:00", row["事故類別名稱"],
              row["處理單位名稱警局層"], row["發生地點"], row["經度"], row["緯度"], row["速限-第1當事者"], row["死亡受傷人數"], row["當事者順位"])
    place, dead = record["place"], record["casualties"]
    found = (record["occurred"], record["class"], record["agency"]["name"], place["text"], place["lon"], place["lat"],
             record["conditions"]["speed_limit"], f"死亡{dead['dead_24h']};受傷{dead['injured']}", party["seq"])
    assert wanted == found, (wanted, found)
    pairs = [(row[c], value(record["conditions"], m)) for c, m in CASE.items()]
    pairs += [(row[c], value(record["conditions"], m, "major")) for c, m in MAJOR.items()]
    pairs += [(row[c], value(party, m)) for c, m in PARTY.items()]
    pairs += [(row[c], value(party, m, "major")) for c, m in PARTY_MAJOR.items()]
    for prefix, member in (("事故類型及型態{}類別名稱", "type"), ("肇因研判{}類別名稱-主要", "cause_main")):
        pairs.append((row[prefix.format("大")], value(record, member, "major")))
        pairs.append((row[prefix.format("子")], value(record, member)))
    other = party.get("impact_other", [{}])[0]
    pairs.append((row["車輛撞擊部位大類別名稱-其他"], other.get("major", "")))
    pairs.append((row["車輛撞擊部位子類別名稱-其他"], other.get("minor", "")))
    pairs.append((row["當事者事故發生時年齡"], party.get("age", "-1")))
    for wanted, found in pairs:
        assert wanted == found, (wanted, found)


def check_open_data(work):
    folder = os.path.join(SHARED, "vectors/police/tw-a1-2023")
    table = os.path.join(folder, "accidents.csv")
    if not os.path.exists(table):
        print("the optional conformance data are not here")
        return
    out, told = sample(work, "open", "--from-open-data", table)
    assert told["resolved"] >= 0.95 * told["values"], (told["resolved"], told["values"])
    with open(table, encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    with open(os.path.join(folder, "cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    made = list(records(out))
    assert told["accidents"] == len(made) == len(cases), (told["accidents"], len(made), len(cases))
    for case, (path, record) in zip(cases, made):
        own = rows[case["first_row"] - 1:case["first_row"] - 1 + case["rows"]]
        assert len(own) == len(record["parties"]), path
        for row, party in zip(own, record["parties"]):
            same_row(row, record, party)
    check_schemas(out, told)
    check_headers(out)
    print(f"open data: {len(made)} accidents, {len(rows)} rows, {100 * told['resolved'] / told['values']:.2f} % of the values resolved")


def main():
    with tempfile.TemporaryDirectory() as work:
        run("pki", "sandbox", os.path.join(work, "pki"))
        out, told = sample(work, "made", "--synthetic", "30")
        assert told["accidents"] == 30 and told["unmapped"] == 0, told
        check_schemas(out, told)
        check_headers(out)
        check_files(out)
        again, _ = sample(work, "again", "--synthetic", "30")
        for (_, a), (_, b) in zip(records(out), records(again)):
            assert a == b
        check_open_data(work)


if __name__ == "__main__":
    main()
