"""Published JSON, XML, UTF-8, FHIR and FHIRPath vectors (optional conformance data) through `claimgate conformance fhir`.

Zero wrong is asserted for the sets of texts and of examples.  Of FHIRPath every case must agree that is made only of the functions which the invariants of the
loaded definitions call: the list is taken from the packages and printed.  XML attacks are run under strace: no file but the set's own is opened, and no connection is tried."""
import glob
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("CLAIMGATE_BINARY", str(ROOT / "build" / "claimgate"))
SHARED = pathlib.Path(os.environ.get("CLAIMGATE_SHARED", ROOT.parent / "shared"))
VECTORS = SHARED / "vectors"
TEXTS = ["canon/json-testsuite", "canon/json-simdjson", "canon/json-yyjson", "canon/utf8", "canon/naughty-strings", "canon/xml-attacks", "canon/xml-w3c",
         "fhir/r4-examples", "fhir/r4-xml-json-pairs"]
PATHS = "fhir/fhirpath-r4"
# Documents that their publishers call valid are accepted: a rule of a profile that the FHIRPath engine reads otherwise shows here first.
VALID = ["fhir/tw-core", "fhir/tw-nhi", "fhir/davinci-pas", "fhir/erezept-xml", "fhir/synthea-r4", "fhir/validator-r4"]
# The reference's verdicts and places; of a foreign nation's documents every invalid one is refused too.
SHARES = {"fhir/validator-r4": [("agree", "cases", 0.95), ("place_agree", "place_cases", 0.9)], "fhir/erezept-xml": [("agree", "cases", 1)]}
MEMORY = 768 << 20
OURS = {"json-duplicate-name", "json-nul", "json-too-deep", "xml-doctype", "xml-namespace", "not-utf8", "character-not-in-xml"}
EXPLAINED = (ROOT / "docs" / "conformance.md").read_text()
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print("FAIL", what)


def run(*words, before=None, **more):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False, preexec_fn=before, **more)


def judge(path, before=None):
    """The set's line, and what was said of single cases."""
    done = run("conformance", "fhir", VECTORS, "--set", path, "--list", "--json", before=before)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(len(lines) == 1, f"{path}: one line is printed ({done.returncode}, {done.stderr[-300:]})")
    return (lines[0] if lines else {}), done.stderr.splitlines()


def small_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def check_texts():
    bounded = None if b"__asan_init" in pathlib.Path(BINARY).read_bytes() else small_memory
    for path in TEXTS:
        if not (VECTORS / path).is_dir():
            continue
        line, said = judge(path, bounded)
        explained = {s.split()[1].rstrip(":") for s in said if ": wrong" in s and f"`{s.split()[1].rstrip(':')}`" in EXPLAINED}
        wrong = {k: v for k, v in line.items() if k.startswith("wrong") and v}
        if path == "fhir/r4-examples" and sum(wrong.values()) == len(explained):
            print(path, "refused rightly, as docs/conformance.md explains:", *sorted(explained))
            wrong = {}
        check(not wrong, f"{path}: {wrong} {[s for s in said if ': wrong' in s][:5]}")
        policies = {s.rsplit(": ", 1)[1] for s in said if ": policy reject: " in s}
        check(policies <= OURS, f"{path}: refused by rule with {policies - OURS}")
        print(path, {k: v for k, v in line.items() if v and k != "set"})


def check_valid():
    for path in VALID:
        if not (VECTORS / path).is_dir() or not (SHARED / "definitions").is_dir():
            continue
        line, said = judge(path)
        check(line.get("agree", 0) > 0, f"{path}: documents were judged")
        check(not line.get("wrong_reject"), f"{path}: {[s for s in said if ': wrong reject' in s][:5]}")
        for part, whole, share in SHARES.get(path, []):
            judged = line[whole] - (line["skipped"] if whole == "cases" else 0)
            check(line[part] >= share * judged, f"{path}: {line[part]} of {judged} {part} is less than {share:.0%}")
        print(path, {k: v for k, v in line.items() if v and k != "set"})


def is_relative(url):
    return isinstance(url, str) and ":" not in url


def faults(value, inside=()):
    """What R4 forbids and a look at the JSON alone shows, without any validator."""
    if isinstance(value, list):
        for item in value:
            yield from faults(item, inside)
    if not isinstance(value, dict):
        return
    if is_relative(value.get("fullUrl")):
        yield "a relative fullUrl"
    if value.get("resourceType") == "Bundle" and "text" in value:
        yield "a Bundle with a narrative"
    if "resourceType" in value and not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", value.get("id", "a")):
        yield "an id that is none"
    if value.get("resourceType") == "Bundle" and value.get("type") == "document":
        entries = {e.get("fullUrl") for e in value.get("entry", [])} | {f"{e['resource']['resourceType']}/{e['resource'].get('id')}" for e in value.get("entry", [])}
        named = re.findall(r'"reference": "([^"#]*)"', json.dumps(value["entry"][0]))
        if any(is_relative(r) and r not in entries for r in named):
            yield "a reference of the Composition that leads to no entry"
    if inside and set(value) == {"id"}:
        yield "an element of an id alone (ele-1)"
    for name, item in value.items():
        yield from faults(item, (*inside, name))


def check_explained():
    for path in ("fhir/nhcx-abdm", "fhir/hcx"):
        if not (VECTORS / path).is_dir() or not (SHARED / "definitions").is_dir():
            continue
        _, said = judge(path)
        files = {c["id"]: c["files"][0] for c in map(json.loads, (VECTORS / path / "cases.jsonl").read_text().splitlines())}
        for refused in [m.group(1) for s in said if (m := re.match(rf"{path} (.*?): wrong reject", s))]:
            why = set(faults(json.loads((VECTORS / path / files[refused]).read_text())))
            check(why, f"{path} {refused} is refused, and nothing in it shows why")
            print(path, refused, "is refused rightly:", ", ".join(sorted(why)))


def invariants():
    """Every constraint's expression in the packages."""
    found = set()
    for package in glob.glob(str(SHARED / "definitions" / "**" / "*.tgz"), recursive=True):
        with tarfile.open(package) as tar:
            for member in tar:
                if not member.name.endswith(".json") or "/" not in member.name:
                    continue
                text = tar.extractfile(member).read()
                if b'"StructureDefinition"' not in text or b'"expression"' not in text:
                    continue
                try:
                    definition = json.loads(text)
                except ValueError:
                    continue
                for part in ("snapshot", "differential"):
                    for element in definition.get(part, {}).get("element", []):
                        found |= {" ".join(c["expression"].split()) for c in element.get("constraint", []) if "expression" in c}
    return sorted(found)


def functions_of(expressions):
    done = run("fhirpath", "functions", "-", "--json", input="\n".join(expressions) + "\n")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_paths():
    if not (VECTORS / PATHS).is_dir():
        return
    line, said = judge(PATHS)
    print(PATHS, {k: v for k, v in line.items() if v and k != "set"})
    expressions = invariants()
    if not expressions:
        print("no definitions here: which functions the invariants call is not known")
        return
    looked = functions_of(expressions)
    check(all("functions" in one for one in looked), f"every invariant compiles: {[o for o in looked if 'functions' not in o][:3]}")
    used = sorted({name for one in looked for name in one.get("functions", [])})
    print(f"{len(expressions)} invariants call {len(used)} functions:", " ".join(used))
    bad = {m.group(1) for s in said if (m := re.match(rf"{PATHS} (\S+): wrong", s))}
    cases = {c["id"]: c for c in map(json.loads, (VECTORS / PATHS / "cases.jsonl").read_text().splitlines())}
    ids = sorted(cases)
    asked = functions_of([re.sub(r"\s*\n\s*", " ", cases[i]["expression"]) for i in ids])
    must = {i for i, one in zip(ids, asked) if set(one.get("functions", [])) <= set(used)}
    check(len(must) > 200, f"only {len(must)} cases are made of these functions")
    check(not bad & must, f"cases made of the invariants' functions that differ: {sorted(bad & must)}")
    check(len(bad) <= 4, f"more cases differ than docs/fhirpath.md explains: {sorted(bad)}")
    print(f"{len(must)} of {len(cases)} cases are made of these functions alone; {len(bad & must)} of them and {len(bad - must)} of the others differ")


ALLOWED = ("/lib/", "/usr/lib/", "/lib64/", "/usr/share/", "/etc/ld.so.", "/etc/ssl/", "/usr/lib/ssl/", "/proc/", "/sys/", "/dev/", "/etc/localtime", "/etc/gcrypt/", "/etc/crypto-policies/", "/etc/gnutls/")


def may_trace():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def check_attacks():
    path = "canon/xml-attacks"
    if not (VECTORS / path).is_dir():
        return
    if not may_trace():
        print("strace is missing or may not trace here: files and connections of the XML attacks are not watched")
        return
    cases = [json.loads(line) for line in (VECTORS / path / "cases.jsonl").read_text().splitlines()]
    own = {str(VECTORS / path / f) for c in cases for f in c["files"]} | {str(VECTORS / path / "cases.jsonl"), str(VECTORS / path)}
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        subprocess.run(["strace", "-f", "-e", "trace=open,openat,openat2,connect,socket,sendto,execve", "-o", str(log), BINARY, "conformance", "fhir", str(VECTORS), "--set", path],
                       capture_output=True, check=False)
        calls = log.read_text(errors="replace").splitlines()
    opened = {m.group(1) for line in calls if (m := re.search(r'open(?:at2?)?\((?:AT_FDCWD, )?"([^"]*)"', line))}
    strange = {f for f in opened if f not in own and not f.startswith(ALLOWED) and f != BINARY}
    check(len(opened & own) >= len(cases), f"the set's files were seen ({len(opened & own)})")
    check(not strange, f"opened besides: {sorted(strange)[:10]}")
    check(not [line for line in calls if re.search(r"\b(connect|sendto|socket)\(", line)], "a connection was tried")
    check(sum("execve(" in line for line in calls) == 1, "a program was started")
    print(f"{len(cases)} attacks: {len(opened & own)} files of the set opened, none besides; no socket")


if not VECTORS.is_dir():
    print("no conformance vectors here (CLAIMGATE_SHARED)")
    sys.exit(77)
check_texts()
check_valid()
check_explained()
check_paths()
check_attacks()
sys.exit(1 if failures else 0)
