"""Scenario 6: hit and run.  The other vehicle is not known; the victim claims from the compensation fund through an insurer that acts for it; months later the vehicle is found, and the corrected slip
reaches all who had the first.

Not played here: the fund's reclaim from the insurer that was found (40 IV) as a paper of its own (`recourse` papers ride on motor filings; the rule is held by unit.adapters.motor_rules)."""
import sys

from accidents import (FUND, H1, K1, LEE, P1, P2, P3, WANG, AccidentGateway, application, claims_of, decide, expect_file, item, line, moved, party, record, resource_of, seen_by, send, tell,
                       with_lines)
from support import Checks

checks = Checks()
NO = "11511AC60001"
RIDER = party(1, WANG, "C03", vehicle={"plate": "AAA-6001", "insurer_ubn": P1}, injury_degree={"code": "2"}, main_injury={"code": "1"})
FLED = party(2, None, "B03", injury_degree={"code": "4"}, hit_and_run={"code": "2"})
PAPERS = ("accident-part", "certificate", "receipt")
REFERENCE = {"author": K1, "kind": "accident_no", "value": NO}


def main():
    with AccidentGateway() as g:
        slip = g.push(record(g, NO, "slip", [RIDER, FLED, party(3, LEE, "H02", rides_with=1, injury_degree={"code": "2"})], casualties={"dead_24h": 0, "injured": 2}))
        checks.equal(slip.status, 201, f"the slip, party 2 unknown {slip}")
        certificate, receipt = g.samples("2")
        certificate, receipt = moved(g, certificate.body), moved(g, with_lines(receipt, [line("住院部分負擔", 2600, payer="copay", nhi="ward"), line("膳食費", 900, "meals", units=5)]))
        visit = {"author": H1, "kind": "visit_no", "value": resource_of(certificate, "Encounter")["identifier"][0]["value"]}

        own = g.apply(application(WANG, [item(P1, "cali", ["cali_medical"], PAPERS)], [REFERENCE, visit], event={"kind": "traffic"}), "person-wang")
        checks.equal((own.status, own.code()), (422, "own-cali"), "not from the own motorcycle's insurer")
        fund = item(FUND, "fund", ["cali_medical"], PAPERS, through=P2, fund={"ground": "unidentified", "assignment": True})
        filed = g.apply(application(WANG, [fund], [REFERENCE, visit], event={"kind": "traffic"}), "person-wang")
        checks.equal(filed.status, 201, f"to the fund, through P2, with the assignment {filed}")
        claim = claims_of(filed)[FUND, "fund"]
        for body, signer in ((certificate, "h1-dr-lin"), (receipt, "h1")):
            checks.equal(send(g, body, signer, "h1").status, 201, f"{signer}'s paper")

        agent, as_agent = seen_by(g, checks, "p2", claim)
        _, as_fund = seen_by(g, checks, "fund", claim)
        checks.equal(as_agent, as_fund, "the agent sees what the fund sees")
        expect_file(g, checks, "6-fund", as_fund)
        own_claim = agent["case"]["claims"][0]
        checks.equal((own_claim["fund"]["ground"], own_claim["fund"]["nhi_excluded"]), ("unidentified", True), "the ground; the health insurance's part stays out")
        checks.equal(own_claim["cali"]["nhi_headroom"]["amount"], "0", "and takes nothing from the fund")
        checks.equal({i["category"]: i["eligible"]["amount"] for i in own_claim["cali"]["items"]}, {"copay": "2600", "meals": "900"}, "what counts")
        checks.equal(g.get("p3", f"/v1/claims/{claim}").status, 404, "nobody else")

        bare = g.apply(application(LEE, [item(FUND, "fund", ["cali_medical"], ("accident-part",), through=P2)], [REFERENCE], event={"kind": "traffic"}), "person-lee")
        checks.equal(bare.status, 201, f"a claim without assignment {bare}")
        unassigned = claims_of(bare)[FUND, "fund"]
        for one in (claim, unassigned):
            checks.equal(tell(g, "p2", one, "in_review").status, 200, "taken into review")
        refused = decide(g, "p2", unassigned, outcome="approved", amount={"amount": "3500", "currency": "TWD"})
        checks.equal((refused.status, refused.code()), (422, "fund-papers"), f"no payment of the fund without the assignment {refused}")
        paid = decide(g, "p2", claim, outcome="approved", amount={"amount": "3500", "currency": "TWD"})
        checks.equal((paid.status, paid.json()["claim"]["state"]), (200, "approved"), f"with it {paid}")

        # months later; the sandbox's revocation lists last a month, so it is four weeks here
        g.go_to_day(28)
        found = party(2, None, "B03", injury_degree={"code": "3"}, hit_and_run={"code": "2"}, vehicle={"plate": "CCC-6003", "insurer_ubn": P3})
        parties = [RIDER, found, party(3, LEE, "H02", rides_with=1, injury_degree={"code": "2"})]
        other = g.push(record(g, NO, "slip", parties, agency="k2", revision=2, replaces=1), "k2")
        checks.equal(other.code(), "replaces-unknown", "another agency corrects nothing")
        corrected = g.push(record(g, NO, "slip", parties, revision=2, replaces=1, casualties={"dead_24h": 0, "injured": 2}))
        checks.equal(corrected.status, 201, f"the agency's own correction: the plate is found {corrected}")
        told = [e["type"] for e in g.events("p2") if e.get("document") in (slip.json()["document"], corrected.json()["document"])]
        checks.that("document.corrected" in told and "document.replaced" in told, f"who had the slip is told and has the new one {told}")
        now, body = seen_by(g, checks, "fund", claim)
        expect_file(g, checks, "6-fund-found", body)
        insurers = {p["id"]: p["organisation"]["identifiers"][0]["value"] for p in now["case"]["parties"] if "organisation" in p}
        cover = {v.get("plate"): insurers.get(v.get("cali", {}).get("insurer", "#")[1:]) for v in now["case"]["vehicles"]}
        checks.equal(cover["CCC-6003"], P3, f"the insurer from whom the fund reclaims {cover}")
        checks.equal(g.events("p3"), [], "which has not been told by anybody yet")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
