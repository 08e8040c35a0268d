"""Whatever the order and however close together the papers of one stay come: one case, and every paper that a recipient may see is announced to it once.

Certificate and application here share no number (the person knows the receipt's only), so the receipt joins two cases that both exist already.
"""
import itertools
import re
import sys
import threading

from support import Checks, Gateway, application_of

L1, L2 = "99000116", "99000220"
PEOPLE = {"A190130001": "person-wang", "B290110002": "person-lee", "A890110003": "person-nguyen", "B280120005": "person-grandma"}
checks = Checks()


def resource(document, kind):
    return next(e["resource"] for e in document.json()["entry"] if e["resource"]["resourceType"] == kind)


def sets(g):
    """(certificate, receipt, person, key) of operations with one certificate and one receipt, of adults."""
    by_seed = {}
    for d in g.samples("1..120"):
        by_seed.setdefault(d.name.split("-")[0], []).append(d)
    for documents in by_seed.values():
        if len(documents) != 2 or documents[0].is_xml:
            continue
        patient = resource(documents[0], "Patient")
        identifier = patient["identifier"][0]
        if identifier["value"] in PEOPLE:
            person = {"identifiers": [{"system": identifier["system"], "value": identifier["value"]}], "name": patient["name"][0]["text"],
                      "birth_date": patient["birthDate"]}
            yield documents[0], documents[1], person, PEOPLE[identifier["value"]]


def application(g, receipt, person, key, visit):
    author = resource(receipt, "Organization")["identifier"][0]["value"]
    reference = {"author": author, "kind": "receipt_no", "value": resource(receipt, "Invoice")["identifier"][0]["value"]}
    if visit:
        reference = {"author": author, "kind": "visit_no", "value": resource(receipt, "Encounter")["identifier"][0]["value"]}
    insurers = [(L1, "health", ["daily_hospital"], ["certificate"]), (L2, "health", ["reimbursement_inpatient"], ["certificate", "receipt"])]
    return g.application(application_of(person, insurers, [reference]), key)


def send(g, what, out):
    if isinstance(what, bytes):
        answer = g.call("POST", "/v1/applications", what, {"Content-Type": "application/json"}, g.token("app"))
    else:
        answer = g.submit(what)
    out.append(answer)


def events_of(g, name):
    """(claim, document) of each event, all pages."""
    found, path = [], "/v1/events?limit=200"
    while path:
        page = g.call("GET", path, token=g.token(name)).json()
        found += [(e["claim"], e.get("document")) for e in page["data"]]
        path = f"/v1/events?limit=200&cursor={page['next_cursor']}" if page["has_more"] else None
    return found


def look(g, answers, label):
    for answer in answers:
        checks.equal(answer.status, 201, f"{label}: accepted")
    filed = next(a.json() for a in answers if a.media == "application/json")
    for name, code, papers in (("l1", L1, 1), ("l2", L2, 2)):
        claim = next(c["claim"] for c in filed["claims"] if c["recipient"] == code)
        seen = {d["id"] for d in g.call("GET", f"/v1/claims/{claim}", token=g.token(name)).json()["documents"]}
        told = [d for c, d in events_of(g, name) if c == claim]
        checks.equal(len(seen), papers, f"{label}: {name} sees its papers")
        checks.equal(sorted(d for d in told if d in seen), sorted(seen), f"{label}: {name} is told of each once")


def main():
    with Gateway() as g:
        for name in ("h1", "h2", "c1", "app", "l1", "l2"):
            g.token(name)
        stays = sets(g)
        for order in itertools.permutations(range(3)):
            certificate, receipt, person, key = next(stays)
            papers, answers = (certificate, receipt, application(g, receipt, person, key, False)), []
            for i in order:
                send(g, papers[i], answers)
            look(g, answers, "order " + " ".join(("certificate", "receipt", "application")[i] for i in order))
        for number, (certificate, receipt, person, key) in enumerate(stays):
            papers, answers = (certificate, receipt, application(g, receipt, person, key, number % 2)), []
            threads = [threading.Thread(target=send, args=(g, p, answers)) for p in papers]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            look(g, answers, f"at the same moment, {re.sub('-.*', '', certificate.name)}")
    return checks.done()


sys.exit(main())
