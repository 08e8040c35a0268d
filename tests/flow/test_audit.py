#!/usr/bin/env python3
"""claimgate audit verify over the store that a run left: nothing is found in it, and every single changed bit is found and named.

Bits are changed with the stock sqlite3 module in the column bytes of all covered rows, in the log, in the segment files and in the database file as such.
CLAIMGATE_AUDIT_FLIPS sets how many (a few hundred by default; 10000 is the whole of it), CLAIMGATE_AUDIT_SEED which.
"""
import base64
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import sys
import tempfile

from support import ROOT, Checks, Gateway, application_of, certificate_der, claimgate, compact, jws_es256

PEOPLE = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen", "A180140004": "person-boy", "B280120005": "person-grandma"}
FLIPS = int(os.environ.get("CLAIMGATE_AUDIT_FLIPS", "300"))
SEED = int(os.environ.get("CLAIMGATE_AUDIT_SEED", "1"))
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# From the table of rows: which tables the log covers, and how the audit prints their ids.
ROWS = (ROOT / "gateway/store/rows.def").read_text(encoding="utf-8")
TABLE_OF = dict(re.findall(r"^ *R\((\w+), (\w+),", ROWS, re.M))
PREFIX = {TABLE_OF[word]: prefix for word, prefix in re.findall(r'^ *J\(\d+, (\w+), "(\w+)"\)', ROWS, re.M)} | {"journal": "row"}
# What the issue names; a run must have made some of each.
WANTED = ["documents", "verdicts", "cases", "case_documents", "claims", "permissions", "decisions", "receptions", "deliveries", "events", "changes", "partners",
          "partner_keys", "leaves", "journal"]
check = Checks()


# -- a run --

def resource(document, kind):
    return next(e["resource"] for e in document.json()["entry"] if e["resource"]["resourceType"] == kind)


def person_of(document):
    patient = resource(document, "Patient")
    identifier = patient["identifier"][0]
    return {"identifiers": [{"system": identifier["system"], "value": identifier["value"]}], "name": patient["name"][0]["text"], "birth_date": patient["birthDate"]}


def references_of(document):
    encounter, organisation = resource(document, "Encounter"), resource(document, "Organization")
    return [{"author": organisation["identifier"][0]["value"], "kind": "visit_no", "value": encounter["identifier"][0]["value"]}]


def withdraw(g, permission, signer):
    x5c = [base64.b64encode(certificate_der(g.pki / f"{name}.crt")).decode() for name in (signer, "moica")]
    signature = jws_es256(g.pki / f"{signer}.key", {"x5c": x5c}, compact({"withdraw": permission, "iat": 1}))
    return g.call("POST", f"/v1/permissions/{permission}/withdraw", compact({"signature": signature}), {"Content-Type": "application/json"}, g.token("app"))


def decide(g, claim):
    def say(path, body, version, key, headers):
        return g.call("POST", f"/v1/claims/{claim}/{path}", compact(body),
                      {"Content-Type": "application/json", "If-Match": f'"{version}"', "Idempotency-Key": key * 20, **headers}, g.token("l2"))

    check.equal(say("status", {"state": "in_review"}, 2, "a", {}).status, 200, "a status is accepted")
    decision = {"outcome": "approved", "amount": {"amount": "40000", "currency": "TWD"}}
    name, value = g.sign(compact(decision), "l2")
    check.equal(say("decision", decision, 3, "f", {name: value}).status, 200, "a decision is accepted")


def acknowledge(g, party):
    events = g.call("GET", "/v1/events", token=g.token(party)).json()
    body = compact({"cursor": events["next_cursor"]})
    answer = g.call("POST", "/v1/consumers/main/commit", body, {"Content-Type": "application/json"}, g.token(party))
    check.that(answer.status in (200, 204), f"{party} acknowledges {answer}")


def run(g):
    """One case with everything, and documents of others."""
    documents = g.samples("1..12")
    for d in documents:
        g.submit(d)
    own = [d for d in documents if d.name.startswith("001")]
    person = person_of(own[0])
    insurers = [("99000116", "health", ["daily_hospital"], ["certificate"]), ("99000220", "health", ["reimbursement_inpatient"], ["certificate", "receipt"])]
    key = PEOPLE[person["identifiers"][0]["value"]]
    filed = g.call("POST", "/v1/applications", g.application(application_of(person, insurers, references_of(own[0])), key),
                   {"Content-Type": "application/json"}, g.token("app"))
    check.equal(filed.status, 201, f"the application is accepted {filed}")
    claims = {c["recipient"]: c for c in filed.json()["claims"]}
    decide(g, claims["99000220"]["claim"])
    acknowledge(g, "l2")
    check.equal(withdraw(g, claims["99000116"]["permission"], key).status, 200, "a permission is withdrawn")


# -- the audit --

def audit(folder, dir_setting=None):
    words = ["audit", "verify", "--config", folder / "claimgate.conf", "--json"]
    words += ["--set", f"store.dir={dir_setting}"] if dir_setting else []
    done = claimgate(*words, check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if not lines or "root" not in lines[-1]:
        print(f"audit ended with {done.returncode}: {done.stderr.decode()[-300:]}", flush=True)
        return done.returncode, [{"finding": "refused"}], None
    return done.returncode, lines[:-1], lines[-1]


class Store:
    """A copy of the closed store, changed and put back."""

    def __init__(self, source, folder):
        self.source, self.dir = source, pathlib.Path(folder) / "store"
        shutil.copytree(source, self.dir)
        self.path = self.dir / "claimgate.db"
        self.whole = self.path.read_bytes()
        self.columns, self.keys, self.rows = {}, {}, []
        db = sqlite3.connect(self.path)
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
            if table not in PREFIX:
                continue
            info = db.execute(f"PRAGMA table_info({table})").fetchall()
            self.columns[table] = [row[1] for row in info]
            self.keys[table] = [row[1] for row in sorted(info, key=lambda r: r[5]) if row[5]]
            self.rows += [(table, row) for row in self.read(db, table)]
        db.close()

    def read(self, db, table):
        return db.execute(f"SELECT {', '.join(self.columns[table])} FROM {table} NOT INDEXED").fetchall()

    def dump(self):
        db = sqlite3.connect(self.path)
        db.text_factory = bytes
        try:
            return {table: sorted(map(repr, self.read(db, table))) for table in self.columns}
        finally:
            db.close()

    def restore(self):
        self.path.write_bytes(self.whole)
        for end in ("-wal", "-shm"):
            (self.dir / f"claimgate.db{end}").unlink(missing_ok=True)


def crockford(raw):
    n = int.from_bytes(raw, "big")
    return "".join(ALPHABET[n >> 5 * i & 31] for i in reversed(range(26)))


def printed_key(table, keys, row):
    """As the audit names a row: by its id where the key has one; keys in the order of the columns."""
    parts = []
    for value in (row[c] for c in keys):
        if isinstance(value, bytes):
            parts.append(f"{PREFIX[table]}-{crockford(value)}" if len(value) == 16 else value[:16].hex())
        else:
            parts.append(str(value))
    return "/".join(parts)


def flipped(value, r):
    """The value with one bit of its bytes changed."""
    if isinstance(value, int):
        n = (value ^ 1 << r.randrange(64)) & (1 << 64) - 1
        return n - (1 << 64) if n >> 63 else n
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    bit = r.randrange(len(raw) * 8)
    raw[bit // 8] ^= 0x80 >> bit % 8
    return bytes(raw)


def flip_row(db, store, table, row, r):
    """(table, keys before and after, column) or None when nothing could be changed."""
    columns = store.columns[table]
    present = [c for c in columns if row[columns.index(c)] not in (None, "", b"")]
    column = r.choice(present)
    before = dict(zip(columns, row))
    after = dict(before, **{column: flipped(before[column], r)})
    is_text = isinstance(before[column], str)
    where = " AND ".join(f"{c} IS ?" for c in store.keys[table])
    try:
        db.execute(f"UPDATE {table} SET {column} = {'CAST(? AS TEXT)' if is_text else '?'} WHERE {where}", [after[column], *(before[c] for c in store.keys[table])])
    except sqlite3.Error:
        return None  # a UNIQUE stands against it
    if is_text and column in store.keys[table]:
        try:
            after[column] = after[column].decode()
        except UnicodeDecodeError:
            after[column] = after[column].hex()  # as the audit prints what is no text
    ordered = [c for c in columns if c in store.keys[table]]
    if "id" in ordered and len(before["id"]) == 16:
        ordered = ["id"]
    return table, {printed_key(table, ordered, before), printed_key(table, ordered, after)}, column


def names(row, keys):
    """A finding's row; entries of the log that are missing are told as a range ("230-1253", when the last one got a larger number)."""
    ends = re.fullmatch(r"(\d+)-(\d+)", row or "")
    return row in keys or (ends and any(k.isdigit() and int(ends[1]) <= int(k) <= int(ends[2]) for k in keys))


def test_rows(store, n, r):
    """Each round changes one bit in each of many rows; every one of them must be named."""
    done, rounds, located, seen = 0, 0, 0, set()
    while done < n:
        wanted = min(n - done, 100)
        # Tables get equal shares, so that the few rows of small ones are reached too.
        by_table = {}
        for table, row in store.rows:
            by_table.setdefault(table, []).append(row)
        chosen = {(t := r.choice(sorted(by_table)), r.choice(by_table[t])) for _ in range(wanted)}
        db = sqlite3.connect(store.path)
        changes = [c for table, row in sorted(chosen, key=repr) if (c := flip_row(db, store, table, row, r))]
        db.commit()
        db.close()
        code, findings, _ = audit(store.source.parent, store.dir)
        check.equal(code, 7, f"round {rounds}: the exit code says that integrity failed")
        for table, keys, column in changes:
            # The salt of a leaf of kind "rows" shows in what it commits to.
            tables = {table, "journal"} if (table, column) == ("leaves", "salt") else {table}
            named = [f for f in findings if f.get("table") in tables and names(f.get("row"), keys)]
            check.that(named, f"round {rounds}: a bit of {table}.{column} of {sorted(keys)} is found and named")
            located += any(f.get("column") and column.startswith(f["column"]) for f in named)
            seen.add((table, column))
        done += len(changes)
        rounds += 1
        store.restore()
    check.that(located > done * 0.5, f"the column is named too for most ({located} of {done})")
    print(f"{done} bits in rows, {len(seen)} columns of {len({t for t, _ in seen})} tables, column named for {located}", flush=True)


def test_segments(store, n, r):
    files = sorted((store.dir / "segments").iterdir())
    check.that(files, "the run left bodies")
    for _ in range(n):
        file = r.choice(files)
        whole = file.read_bytes()
        at = r.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << r.randrange(8)]) + whole[at + 1:])
        _, findings, _ = audit(store.source.parent, store.dir)
        name = f"segments/{file.name}"
        check.that([f for f in findings if f.get("file") == name and f["offset"] <= at < f["offset"] + f["length"]], f"byte {at} of {name} is found and named")
        file.write_bytes(whole)
    file = files[0]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    check.that(audit(store.source.parent, store.dir)[1], "a file that lost its last byte is found")
    file.unlink()
    check.that([f for f in audit(store.source.parent, store.dir)[1] if f.get("file") == f"segments/{file.name}"], "a file that is gone is found")
    file.write_bytes(whole)


def test_kept_heads(store, n, r):
    file = store.dir / "log" / "heads"
    whole = file.read_bytes()
    for _ in range(n):
        at = r.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << r.randrange(8)]) + whole[at + 1:])
        code, findings, _ = audit(store.source.parent, store.dir)
        check.that(code == 7 and [f for f in findings if f.get("file") == "log/heads" and f["offset"] <= at], f"byte {at} of the kept heads is found and named {findings}")
    file.write_bytes(whole)


def test_tiles(store, n, r):
    """The log as files: whole, leads to its head offline, and any changed bit is found and named."""
    home = store.dir / "log"
    files = sorted(f for f in home.rglob("*") if f.is_file() and f.name != "heads")
    check.that({"checkpoint"} < {f.name for f in files}, f"the run left the log as files {files}")
    keys = store.dir.parent / "jwks"
    words = ["verify", "log", home, "--keys", keys, "--json"]
    done = claimgate(*words, check=False)
    check.equal(done.returncode, 0, f"the folder holds offline {done.stdout.decode()}{done.stderr.decode()}")
    check.that(b'"check":"tiles","result":"ok"' in done.stdout, "by its tiles")
    for i in range(n):
        file = files[i % len(files)]
        whole = file.read_bytes()
        at = r.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << r.randrange(8)]) + whole[at + 1:])
        name = f"log/{file.relative_to(home)}"
        code, findings, _ = audit(store.source.parent, store.dir)
        check.that(code == 7 and [f for f in findings if f.get("file") == name and f["offset"] <= at < f["offset"] + f["length"]], f"byte {at} of {name} is found and named {findings}")
        check.equal(claimgate(*words, check=False).returncode == 0, False, f"byte {at} of {name} is found offline")
        file.write_bytes(whole)
    for file in files[1:]:
        whole = file.read_bytes()
        file.unlink()
        check.that(audit(store.source.parent, store.dir)[1], f"{file} that is gone is found")
        file.write_bytes(whole)


def test_file_level(store, n, r):
    """Any bit of the database file: found, or no row differs."""
    before, silent = store.dump(), 0
    for _ in range(n):
        at = r.randrange(len(store.whole))
        changed = bytearray(store.whole)
        changed[at] ^= 1 << r.randrange(8)
        store.path.write_bytes(changed)
        code, _, _ = audit(store.source.parent, store.dir)
        if code == 0:
            silent += 1
            check.equal(store.dump() == before, True, f"byte {at} of the file is not found, so no row may differ")
        store.restore()
    print(f"{n} bits of the file, {silent} of them without any row that differs", flush=True)


def test_whole_rows(store):
    """Rows that vanish, appear or go back to what they were."""
    db = sqlite3.connect(store.path)
    victim = db.execute("SELECT id FROM documents LIMIT 1").fetchone()[0]
    db.execute("DELETE FROM documents WHERE id = ?", [victim])
    columns = ", ".join(row[1] for row in db.execute("PRAGMA table_info(permissions)") if row[1] != "id")
    db.execute(f"INSERT INTO permissions (id, {columns}) SELECT randomblob(16), {columns} FROM permissions LIMIT 1")
    back = db.execute("SELECT id FROM permissions WHERE withdrawn_at IS NOT NULL").fetchone()[0]
    db.execute("UPDATE permissions SET withdrawn_at = NULL WHERE id = ?", [back])
    db.commit()
    db.close()
    _, findings, _ = audit(store.source.parent, store.dir)
    named = {(f["finding"], f.get("table"), f.get("row")) for f in findings}
    check.that(("row-missing", "documents", f"doc-{crockford(victim)}") in named, "a document that was deleted by hand")
    check.that([f for f in named if f[:2] == ("row-unknown", "permissions")], "a permission that was made by hand")
    check.that(("row-changed", "permissions", f"perm-{crockford(back)}") in named, "a withdrawal that was taken back by hand")
    store.restore()


def test_heads(g_dir, store, head):
    """A log that was cut and whose rows fit again is caught by a head that somebody else kept."""
    kept = store.dir.parent / "head"
    kept.write_text(head)
    words = ["audit", "verify", "--config", g_dir / "claimgate.conf", "--set", f"store.dir={store.dir}", "--set", "http.base_url=http://gateway.example.tw",
             "--set", f"signing.key_file={store.source}/gateway.key", "--head", kept, "--json"]
    done = claimgate(*words, check=False)
    check.equal(done.returncode, 0, f"the log contains the head {done.stdout[-300:]} {done.stderr}")
    check.equal(json.loads(done.stdout.splitlines()[-1])["heads"], 1, "one head agrees")
    db = sqlite3.connect(store.path)
    last = db.execute("SELECT max(seq) FROM leaves").fetchone()[0]
    db.execute("DELETE FROM leaves WHERE seq = ?", [last])
    db.execute("DELETE FROM journal WHERE leaf = ?", [last])
    db.commit()
    db.close()
    done = claimgate(*words, check=False)
    check.that(done.returncode == 7 and b"head-differs" in done.stdout, "a log that was cut is caught by the head")
    store.restore()


def main():
    r = random.Random(SEED)
    with Gateway() as g, tempfile.TemporaryDirectory() as folder:
        run(g)
        code, findings, counts = audit(g.dir)
        check.equal((code, findings), (0, []), "beside the running gateway nothing is found")
        head = g.call("GET", "/v1/log/consistency?first_size=0").json()["checkpoint"]
        jwks = g.call("GET", "/.well-known/jwks.json").body
        g.stop()
        code, findings, counts = audit(g.dir)
        check.equal((code, findings), (0, []), "nothing is found in the closed store")
        store = Store(g.dir / "store", folder)
        for table in WANTED:
            check.that([t for t, _ in store.rows if t == table], f"the run left rows in {table}")
        print(counts, flush=True)
        test_whole_rows(store)
        test_heads(g.dir, store, head)
        test_rows(store, FLIPS, r)
        test_segments(store, max(10, FLIPS // 20), r)
        test_kept_heads(store, max(10, FLIPS // 20), r)
        (store.dir.parent / "jwks").write_bytes(jwks)
        test_tiles(store, max(12, FLIPS // 20), r)
        test_file_level(store, max(20, FLIPS // 10), r)
        words = claimgate("audit", "verify", "--config", g.dir / "claimgate.conf", "--lang", "zh-TW").stdout.decode()
        check.that("正常" in words, "in plain Chinese")
    return check.done()


sys.exit(main())
