#!/usr/bin/env python3
"""openapi/gateway.yaml and gateway/http/routes.def say the same; references resolve; every operation has examples, and they fit their schemas."""
import ast
import re
import sys

from spec import METHODS, ROOT, Spec, jsonschema

failures = []
MEDIA_BITS = {"application/json": "JSON", "application/fhir+json": "JSON", "application/xml": "XML", "application/fhir+xml": "XML",
              "application/x-www-form-urlencoded": "FORM", "*/*": "ANY"}


def check(condition, text):
    if not condition:
        failures.append(text)


def camel(name):
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def routes():
    """Rows of the operation table: operationId → what it says."""
    text = (ROOT / "gateway/http/routes.def").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    rows = {}
    for row in re.finditer(r'^ROUTE\((\w+), METHOD_(\w+), ("[^"]*"), SURFACE_(\w+), ([\w| ]+), (\d+), ([\w| ]+), ("[^"]*")\)$', text, re.M):
        name, method, path, surface, media, ceiling, flags, scope = row.groups()
        rows[camel(name)] = {"method": method, "path": ast.literal_eval(path), "surface": surface, "ceiling": int(ceiling), "scope": ast.literal_eval(scope),
                             "media": set(re.findall(r"MEDIA_(\w+)", media)) - {"NONE"}, "flags": set(re.findall(r"ROUTE_(\w+)", flags))}
    check(len(rows) == len(re.findall(r"^ROUTE\(", text, re.M)), "routes.def: a row that this test cannot read")
    return rows


def security_of(row):
    if "OPEN" in row["flags"]:
        return []
    person = [{"personToken": [row["scope"]] if row["scope"] else []}] if "PERSON" in row["flags"] else []
    if "TRACK" in row["flags"]:
        return [{"trackToken": []}] + [{"trackToken": [], **login} for login in logins_of(row)] + person
    return logins_of(row) + person


def logins_of(row):
    scopes = [row["scope"]] if row["scope"] else []
    return [{"clientToken": scopes}, {"mutualTLS": scopes}]


def check_routes(spec):
    table, seen = routes(), set()
    for name, method, path, operation in spec.operations():
        check(name not in seen, f"{name}: stands twice")
        seen.add(name)
        row = table.get(name)
        if not row:
            check(False, f"{name}: not in routes.def")
            continue
        check((row["method"], row["path"]) == (method, path), f"{name}: {method} {path}, in routes.def {row['method']} {row['path']}")
        body = operation.get("requestBody")
        media = {MEDIA_BITS.get(m, m) for m in body["content"]} if body else set()
        check(media == row["media"], f"{name}: accepts {media}, in routes.def {row['media']}")
        check((body or {}).get("x-max-bytes", 0) == row["ceiling"], f"{name}: x-max-bytes differs from routes.def ({row['ceiling']})")
        check(operation.get("security") == security_of(row), f"{name}: security {operation.get('security')}, by routes.def {security_of(row)}")
        check_conditions(spec, name, operation, row)
        check_surface(spec, name, operation, row)
    check(seen == set(table), f"operations only in routes.def: {sorted(set(table) - seen)}")
    known = spec.root["components"]["securitySchemes"]["clientToken"]["flows"]["clientCredentials"]["scopes"]
    check({row["scope"] for row in table.values() if row["scope"]} == set(known), "the scopes of routes.def and of the security scheme")


def check_conditions(spec, name, operation, row):
    required = {p["name"] for p in spec.parameters(operation) if p["in"] == "header" and p.get("required")}
    by_flag = {"IDEMPOTENT": "Idempotency-Key", "IF_MATCH": "If-Match", "PARTIAL": "Upload-Offset"}
    wanted = {header for flag, header in by_flag.items() if flag in row["flags"]}
    check(required == wanted, f"{name}: required headers {required}, by routes.def {wanted}")
    in_path = {p["name"] for p in spec.parameters(operation) if p["in"] == "path"}
    check(in_path == set(re.findall(r"{(\w+)}", row["path"])), f"{name}: path parameters {in_path}")


def check_surface(spec, name, operation, row):
    """Each surface has its own form of errors; who may be refused has 401, whose scope may lack 403, who brings a body 413 and 415."""
    form = {"FHIR": "application/fhir+json", "PLAIN": "application/problem+json", "AUTH": "application/json", "PAGE": "text/html"}[row["surface"]]
    statuses = {}
    for status, reply in operation["responses"].items():
        statuses[status] = reply = spec.resolved(reply)
        check(status[0] in "23" or set(reply["content"]) == {form}, f"{name} {status}: an error of the surface is {form}")
    check("401" in statuses or "OPEN" in row["flags"], f"{name}: no 401")
    check("403" in statuses or not row["scope"], f"{name}: no 403")
    check(not row["ceiling"] or {"413", "415"} <= set(statuses), f"{name}: no 413 or 415")
    check("IF_MATCH" not in row["flags"] or {"412", "428"} <= set(statuses), f"{name}: no 412 or 428")
    check(any(status[0] == "2" for status in statuses), f"{name}: no success")


def check_references(spec, node, place=""):
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            try:
                spec.find(reference)
            except (KeyError, TypeError):
                check(False, f"{place}: {reference} leads nowhere")
        for key, value in node.items():
            check_references(spec, value, f"{place}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            check_references(spec, value, f"{place}/{i}")


def check_unused(spec):
    text = str(spec.root)
    for kind, entries in spec.root["components"].items():
        for name in entries:
            check(kind == "securitySchemes" or f"#/components/{kind}/{name}'" in text or name == "ApplicationItem", f"components/{kind}/{name} is used nowhere")


def check_media(spec, place, content):
    n = 0
    for media, body in content.items():
        jsonschema.Draft202012Validator.check_schema({k: v for k, v in body["schema"].items()})
        for name, value in spec.examples(body).items():
            n += 1
            for problem in spec.problems(body["schema"], value):
                check(False, f"{place} {media} example {name}: {problem}")
    return n


def check_requests_closed(spec, name, content):
    for media, body in content.items():
        schema = spec.resolved(body["schema"])
        if schema.get("type") == "object" and media != "*/*":
            check(schema.get("additionalProperties") is False, f"{name} {media}: a request's schema is closed")


def check_examples(spec):
    items = [(name, operation) for name, _, _, operation in spec.operations()]
    items += [(f"webhook {name}", item["post"]) for name, item in spec.root["webhooks"].items()]
    for name, operation in items:
        check(operation.get("summary"), f"{name}: no summary")
        body = operation.get("requestBody")
        if body:
            check(check_media(spec, name, body["content"]) > 0, f"{name}: no example of a request")
            if not name.startswith("webhook"):
                check_requests_closed(spec, name, body["content"])
        shown = 0
        for status, reply in operation["responses"].items():
            reply = spec.resolved(reply)
            check(reply.get("description"), f"{name} {status}: no description")
            n = check_media(spec, f"{name} {status}", reply.get("content", {}))
            shown += n if status[0] == "2" else 0
            shown += status == "204"
        check(shown > 0, f"{name}: no example of a successful reply")
        for parameter in spec.parameters(operation):
            check("example" in parameter or parameter["in"] != "path", f"{name}: path parameter {parameter['name']} has no example")
            for problem in spec.problems(parameter["schema"], parameter["example"]) if "example" in parameter else []:
                check(False, f"{name} parameter {parameter['name']}: {problem}")


def check_codes(spec):
    """Codes that the examples show exist in the outcome table, with the status that is shown."""
    table = (ROOT / "gateway/base/err.def").read_text(encoding="utf-8")
    rows = {code: int(status) for code, status in re.findall(r'^ERR\(\w+, "([a-z0-9-]+)", (\d+)', table, re.M)}
    problem = spec.root["components"]["examples"]["Problem"]["value"]
    check(rows.get(problem["code"]) == problem["status"], "the example of a problem is not in the outcome table")
    coding = spec.root["components"]["examples"]["OperationOutcome"]["value"]["issue"][0]["details"]["coding"][0]
    check(coding["code"] in rows, "the example of an OperationOutcome is not in the outcome table")


def check_states(spec):
    table = (ROOT / "gateway/flow/case/states.def").read_text(encoding="utf-8")
    words = re.findall(r'^STATE\(\w+, "(\w+)"', table, re.M)
    check(spec.root["components"]["schemas"]["ClaimState"]["enum"] == words, "ClaimState differs from states.def")


def main():
    spec = Spec()
    check(spec.root["openapi"].startswith("3.1."), "OpenAPI 3.1")
    check(all(set(item) <= set(METHODS) for item in spec.root["paths"].values()), "a path has only operations")
    check_references(spec, spec.root)
    if not failures:
        check_routes(spec)
        check_examples(spec)
        check_unused(spec)
        check_codes(spec)
        check_states(spec)
    for text in failures:
        print(text)
    print(f"{len(list(spec.operations()))} operations, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
