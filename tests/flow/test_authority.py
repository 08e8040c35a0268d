"""Who may sign what is the operator's data for what persons sign too: a file without a row for applications refuses them by name, until it is put right and read anew."""
import pathlib
import re
import sys

from support import ROOT, WANG, Checks, Gateway, application_of, compact

checks = Checks()
L1 = "99000116"
VISIT = {"author": "9901010016", "kind": "visit_no", "value": "V10000001"}


def rules(without=""):
    table = (ROOT / "signing/signing.def").read_text(encoding="utf-8")
    words = dict(re.findall(r'^DOCUMENT_KIND\((\w+), "([^"]+)"\)', table, re.M))
    rows = re.findall(r"^MAY_SIGN\((\w+), (\w+), (\w+)\)", table, re.M)
    return compact({"rules": [{"kind": words[kind], "use": use.lower(), "subject": subject.lower()} for kind, use, subject in rows if kind != without]})


def file(g, path):
    body = g.application(application_of(WANG, [(L1, "health", ["daily_hospital"], ["certificate"])], [VISIT]))
    return g.call("POST", path, body, {"Content-Type": "application/json"}, g.token("app"))


with Gateway() as g:
    table = pathlib.Path(g.dir) / "authority.json"
    table.write_bytes(rules(without="APPLICATION"))
    g.settings += [f"trust.authority={table}"]
    g.restart()
    refused = file(g, "/v1/applications")
    checks.equal((refused.status, refused.code()), (422, "signer-wrong-kind"), f"no row, no application: {refused}")
    checks.equal(file(g, "/v1/permissions").code(), "not-found", "permissions have their own row: this one is signed by right, and of no case yet")
    table.write_bytes(rules())
    checks.that("error" not in g.control("reload"), "the whole table is read")
    checks.equal(file(g, "/v1/applications").status, 201, "and applications are taken again")
sys.exit(checks.done())
