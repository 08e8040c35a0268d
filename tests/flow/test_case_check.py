"""claimgate case check: what does not fit in stored cases is named, for whom it is to look at; beside a running gateway and without one."""
import json
import re
import sys

from accidents import LEE, AccidentGateway, application, item
from support import Checks, claimgate

checks = Checks()


def without_assignment(g):
    """A claim to the fund whose person assigned nothing: kept, and held."""
    fund, agent = g.partners["fund"]["code"], g.partners["p2"]["code"]
    filed = g.apply(application(LEE, [item(fund, "fund", ["cali_medical"], ("accident-part",), through=agent)], [], event={"kind": "traffic"}), "person-lee")
    checks.equal(filed.status, 201, f"an application to the fund {filed}")
    return filed.json()["case"]


def says(g, *words):
    done = g.case_check(*words)
    return done.returncode, done.stdout.decode()


def main():
    with AccidentGateway() as g:
        checks.equal(says(g), (0, "0 cases checked: 0 findings, 0 of them for a person to look at before money moves; 0 cases could not be read\n"), "an empty store")
        documents = [d for d in g.samples("1") if not d.is_xml]
        good = g.submit(documents[0]).parameter("case")
        checks.equal(says(g, "--json"), (0, ""), "a case that keeps the rules is not named")
        held = without_assignment(g)
        code, text = says(g, "--json")
        found = json.loads(text)
        checks.equal((code, found["case"], {f["code"] for f in found["findings"]}, {f["severity"] for f in found["findings"]}), (10, held, {"fund-papers"}, {"hold"}), "a claim that must wait is named")
        checks.equal({f["expected"] for f in found["findings"]}, {"a ground", "the assignment", "nhi_excluded"}, "and what it lacks")
        checks.equal((says(g, good)[0], says(g, held)[0]), (0, 10), "one case by its id")
        checks.that(re.search(r"^2 cases checked: 3 findings, 3 of them", says(g)[1], re.M), f"the sum {says(g)[1]}")
        checks.that("向特別補償基金請求之案件" in says(g, "--lang", "zh-TW")[1], "in Chinese")
        checks.that("fund-papers" in json.dumps(json.loads(claimgate("case", "get", held, "--config", g.dir / "claimgate.conf").stdout)["case"]["findings"]), "`case get` shows them too")
        checks.equal(says(g, "case-01k00000000000000000000000")[0], 3, "a case that is not there")
        beside = says(g, "--json")
        g.stop()
        checks.equal(says(g, "--json"), beside, "the same without the gateway")
        g.start()
        g.findings = ("fund-papers",)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
