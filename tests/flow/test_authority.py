"""Who may sign what is the operator's data for what persons sign too: a file without a row for applications refuses them by name, until it is put right and read anew."""
import pathlib
import sys

from support import WANG, Checks, Gateway, application_of, authority_rules, compact

checks = Checks()
L1 = "99000116"
VISIT = {"author": "9901010016", "kind": "visit_no", "value": "V10000001"}


def rules(without=""):
    return compact({"rules": [row for row in authority_rules() if row["kind"] != without]})


def file(g, path):
    body = g.application(application_of(WANG, [(L1, "health", ["daily_hospital"], ["certificate"])], [VISIT]))
    return g.call("POST", path, body, {"Content-Type": "application/json"}, g.token("app"))


with Gateway() as g:
    table = pathlib.Path(g.dir) / "authority.json"
    table.write_bytes(rules(without="application"))
    g.settings += [f"trust.authority={table}"]
    g.restart()
    refused = file(g, "/v1/applications")
    checks.equal((refused.status, refused.code()), (422, "signer-wrong-kind"), f"no row, no application: {refused}")
    checks.equal(file(g, "/v1/permissions").code(), "not-found", "permissions have their own row: this one is signed by right, and of no case yet")
    table.write_bytes(rules())
    checks.that("error" not in g.control("reload"), "the whole table is read")
    checks.equal(file(g, "/v1/applications").status, 201, "and applications are taken again")
sys.exit(checks.done())
