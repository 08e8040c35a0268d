"""Scenario 6: hit and run.  The other vehicle is not known; the victim claims from the compensation fund through an insurer that acts for it; three months later the vehicle is found, the corrected slip
reaches all who had the first, and the fund asks the insurer that turns out to have covered it to return what it paid (40 IV)."""
import sys

from accidents import (FUND, H1, K1, LEE, P1, P2, P3, WANG, AccidentGateway, application, claims_of, decide, expect_file, item, line, moved, party, record, resource_of, seen_by, send, tell,
                       with_lines)
from covers import ask, desks_of, ended
from support import Checks, compact

checks = Checks()
NO = "11511AC60001"
RIDER = party(1, WANG, "C03", vehicle={"plate": "AAA-6001", "insurer_ubn": P1}, injury_degree={"code": "2"}, main_injury={"code": "1"})
FLED = party(2, None, "B03", injury_degree={"code": "4"}, hit_and_run={"code": "2"})
PAPERS = ("accident-part", "certificate", "receipt")
REFERENCE = {"author": K1, "kind": "accident_no", "value": NO}


def reclaim(g, claim):
    """The fund's demand, a paper that it signs (強保法 40 IV): P3 gets a claim with amount and basis, and nothing of the injury."""
    paper = {"format": "motor-filing-1", "filing": "urn:uuid:6f0d5f2e-reclaim-6003", "part": "recourse", "written": f"{g.day(92)}T10:00:00+08:00", "author": {"kind": "insurer", "code": FUND},
             "kind": "fund_reclaim_40iv", "line": "fund", "plate": "CCC-6003", "against": P3, "paid": "3500", "amount": "3500", "paid_on": g.day(1)}

    def demand(signer="fund", sender="fund", **more):
        data = compact({**paper, **more})
        return g.call("POST", f"/v1/claims/{claim}/recourse", data, g.signed(data, signer, "application/json"), g.token(sender))
    checks.equal(demand("p2", "p2", author={"kind": "insurer", "code": P2}).code(), "not-found", "who acts for the fund reclaims nothing for itself")
    checks.that(demand("p1").code().startswith("signer"), "nor does another company sign for the fund")
    checks.equal(demand(kind="own_damage_53").code(), "recourse-barred", "a recourse that the fund does not have")
    checks.equal(demand(against="99009999").code(), "recipient-unknown", "nor is a company asked that nobody knows")
    asked = demand()
    checks.equal((asked.status, [c["recipient"] for c in asked.json().get("claims", [])]), (201, [P3]), f"the fund asks P3 to return what it paid {asked}")
    again = demand()
    checks.equal((again.status, again.json()["receipt"]), (200, asked.json()["receipt"]), "the same demand again: the same receipt")
    more = demand(filing="urn:uuid:6f0d5f2e-reclaim-more", amount="9000")
    checks.equal([f["code"] for f in more.json()["findings"]], ["sum-differs", "recourse-above-paid"], f"more than was paid is noted {more}")
    of_p3 = asked.json()["claims"][0]["claim"]
    checks.equal([e["type"] for e in g.events("p3")][:1], ["recourse.asked"], "P3 is told")
    answer, body = seen_by(g, checks, "p3", of_p3)
    expect_file(g, checks, "6-p3", body)
    demanded = answer["case"]["recourse"][0]
    checks.equal((demanded["kind"], demanded["amount"]["stated"]["amount"], demanded["paid_on"]["value"] if isinstance(demanded["paid_on"], dict) else demanded["paid_on"]), ("fund_reclaim_40iv", "3500", g.day(1)), "amount and basis")
    checks.that(not any(word in body for word in (b'"diagnoses"', b'"encounters"', b'"expenses"', b'"certificates"')), "no diagnosis lines, no receipts")
    checks.equal(g.get("p1", f"/v1/claims/{of_p3}").status, 404, "nobody else's matter")


def main():
    with AccidentGateway() as g:
        g.findings = ("fund-papers",)  # somebody applies to it without the assignment
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

        # three months later: the plate is found
        g.go_to_day(92)
        g.renew_lists()
        found = party(2, None, "B03", injury_degree={"code": "3"}, hit_and_run={"code": "2"}, vehicle={"plate": "CCC-6003"})
        parties = [RIDER, found, party(3, LEE, "H02", rides_with=1, injury_degree={"code": "2"})]
        other = g.push(record(g, NO, "slip", parties, agency="k2", revision=2, replaces=1), "k2")
        checks.equal(other.code(), "replaces-unknown", "another agency corrects nothing")
        corrected = g.push(record(g, NO, "slip", parties, revision=2, replaces=1, casualties={"dead_24h": 0, "injured": 2}))
        checks.equal(corrected.status, 201, f"the agency's own correction: the plate is found {corrected}")
        for who in ("p2", "fund"):
            told = [e["type"] for e in g.events(who) if e.get("document") in (slip.json()["document"], corrected.json()["document"])]
            checks.that(("document.corrected" in told and "document.replaced" in told) or who == "fund", f"who had the slip is told and has the new one: {who} {told}")

        # insured at P3
        desks = desks_of(g, "p1", "p2", "p3")
        desks["p3"].insure("CCC6003")
        looked_up = ended(g, ask(g, claim, "CCC-6003", who="fund", purpose="recourse"), who="fund")
        checks.equal((looked_up["result"], looked_up["insurer"]["code"]), ("insured", P3), f"who insures it is looked up {looked_up}")
        now, body = seen_by(g, checks, "fund", claim)
        expect_file(g, checks, "6-fund-found", body)
        insurers = {p["id"]: p["organisation"]["identifiers"][0]["value"] for p in now["case"]["parties"] if "organisation" in p}
        cover = {v.get("plate"): insurers.get(v.get("cali", {}).get("insurer", "#")[1:]) for v in now["case"]["vehicles"]}
        checks.equal(cover["CCC-6003"], P3, f"the insurer from whom the fund reclaims {cover}")
        checks.equal(g.events("p3"), [], "which has not been told by anybody yet")
        reclaim(g, claim)
        for desk in desks.values():
            desk.close()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
