#!/usr/bin/env python3
"""The two printed schemas are valid JSON Schema 2020-12, accept the sample cases, refuse what they must, and annotate every leaf."""
import copy
import json
import os
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
CLASSES = {"special", "personal", "business", "technical", "public"}
failures = []


def check(condition, text):
    if not condition:
        failures.append(text)


def load(name):
    return json.loads((ROOT / "openapi" / name).read_text(encoding="utf-8"))


def is_valid(validator, value):
    return next(validator.iter_errors(value), None) is None


def has_annotations(node):
    return all(key in node for key in ("x-class", "x-basis", "x-group", "x-view"))


def walk_leaves(schema):
    """Every way from the root to a scalar: one of the schemas on it must carry the annotations."""
    defs = schema["$defs"]
    leaves = 0
    # (schema node, annotated on the way, trail)
    pending = [(defs["case"], False, "case")]
    while pending:
        node, annotated, trail = pending.pop()
        annotated = annotated or has_annotations(node)
        if "x-class" in node:
            check(node["x-class"] in CLASSES, f"{trail}: class {node['x-class']}")
            check(isinstance(node["x-view"], list), f"{trail}: x-view")
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            pending.append((defs[name], annotated, f"{trail}->{name}"))
            continue
        if node.get("type") == "array":
            pending.append((node["items"], annotated, trail + "[]"))
            continue
        if node.get("type") == "object":
            for name, member in node.get("properties", {}).items():
                pending.append((member, annotated, f"{trail}.{name}"))
            continue
        leaves += 1
        check(annotated, f"{trail}: a leaf without x-class, x-basis, x-group, x-view")
    check(leaves > 1000, f"only {leaves} leaves found")
    return leaves


def mutations(case):
    """(what, changed case): each must be refused by the closed schema."""
    def changed(path, value):
        c = copy.deepcopy(case)
        at = c
        for step in path[:-1]:
            at = at[step]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        return c

    yield "an unknown member", changed(["surprise"], 1)
    yield "an unknown member below", changed(["parties", 0, "surprise"], 1)
    yield "a section that must be there", changed(["documents"], None)
    yield "a member that must be there", changed(["documents", 0, "kind"], None)
    yield "a word outside the list", changed(["claims", 0, "state"], "finished")
    yield "money as number", changed(["claims", 0, "benefits", 0, "claimed"], {"amount": 12, "currency": "TWD"})
    yield "money with exponent", changed(["claims", 0, "benefits", 0, "claimed"], {"amount": "1e3", "currency": "TWD"})
    yield "a reference without #", changed(["claims", 0, "claimant"], "p1")
    yield "a time without offset", changed(["meta", "created_at"], "2026-06-05T10:12:00")
    yield "an empty list", changed(["verdicts"], [])


def main():
    closed_schema, open_schema = load("case.schema.json"), load("case.open.schema.json")
    for schema in (closed_schema, open_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        walk_leaves(schema)
    closed = jsonschema.Draft202012Validator(closed_schema)
    receivers = jsonschema.Draft202012Validator(open_schema)

    samples = sorted((ROOT / "tests" / "vectors" / "case").glob("*.json"))
    check(len(samples) >= 3, "the samples are missing")
    for path in samples:
        case = json.loads(path.read_text(encoding="utf-8"))
        for validator, name in ((closed, "closed"), (receivers, "open")):
            error = jsonschema.exceptions.best_match(validator.iter_errors(case))
            check(error is None, f"{path.name}, {name}: {error and error.json_path}: {error and error.message[:200]}")
        for what, changed in mutations(case):
            check(not is_valid(closed, changed), f"{path.name}: the closed schema accepts {what}")
        newer = copy.deepcopy(case)
        newer["parties"][0]["field_of_next_year"] = True
        check(is_valid(receivers, newer), f"{path.name}: the open schema refuses a new field")
        projection = {"parties": [{"id": "p1", "kind": "person"}]}
        check(is_valid(receivers, projection), "the open schema refuses a projection")

    for text in failures:
        print("FAIL", text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
