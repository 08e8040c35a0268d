"""Who insures this vehicle: plate and day to insurers in turn or to the register, "not our insured" as an answer; who may ask and what leaves."""
import sqlite3
import sys

from accidents import L3, LEE, P1, P2, P3, AccidentGateway, application, findings_of, item, seen_by
from covers import CARS, CIR, PAPERS, CoverDesk, ask, begun, desks_of, ended, states, verify_question
from support import Checks, compact

checks = Checks()


def in_turn():
    """Insurers one by one, until one says that it is its insured."""
    with AccidentGateway() as g:
        g.findings = ("cover-differs", "vehicle-uninsured")  # what this is about
        case, claims = begun(g, checks, {"CCC-7003": P2})
        checks.equal(ask(g, claims[P1, "cali"], "AAA-7001").code(), "lookup-nobody", "nobody is registered for such questions")
        desks = desks_of(g, "p1", "p2", "p3")
        desks["p2"].insure(CARS["found"])
        desks["p2"].insure(CARS["named"])
        claim = claims[P1, "cali"]

        asked = ask(g, claim, "AAA-7001")
        checks.equal((asked.status, asked.json()["state"], asked.json()["plate"]), (202, "asking", CARS["found"]), f"asked {asked}")
        row = ended(g, asked)
        checks.equal((row["state"], row["result"], row["insurer"]["code"]), ("answered", "insured", P2), f"insured with P2 {row}")
        checks.equal((row["period"], row["certificate_no"]), ({"from": "2020-01-01", "to": "2040-01-01"}, "************4447"), "its period, its number masked")
        order = [a["who"] for a in row["asked"]]
        wanted = {code: "not_ours" if order.index(code) < order.index(P2) else "insured" if code == P2 else "spared" for code in order}
        checks.equal(states(row), wanted, "who was asked before says not ours, who comes after is not asked")
        checks.equal({n for n, d in desks.items() if CARS["found"] in d.plates()}, {n for n in desks if wanted[{"p1": P1, "p2": P2, "p3": P3}[n]] != "spared"}, "plate and day went to no more than need be")
        question, headers, body = desks["p2"].asked[0]
        checks.equal(set(question), {"format", "question", "to", "plate", "date"}, "a question says plate and day, and nothing of why, of which case, of whom")
        checks.equal((question["to"], question["plate"], question["date"]), (P2, CARS["found"], g.day(0)), "to whom it is addressed")
        header, _ = verify_question(g, headers, body)
        checks.equal(header["typ"], "claimgate-cover-question+jwt", "signed by the gateway")
        again = ask(g, claim, "aaa 7001")
        checks.equal((again.status, again.json()["id"], len(desks["p2"].asked)), (202, row["id"], 1), "asked again: the answer that there is, and nobody is bothered")

        named = ended(g, ask(g, claim, "CCC-7003"))
        checks.equal((named["insurer"]["code"], [a["kind"] for a in named["asked"]][0], named["asked"][0]["who"]), (P2, "named", P2), "whom the slip names is asked first")
        checks.equal([n for n, d in desks.items() if CARS["named"] in d.plates()], ["p2"], "and nobody else")

        nothing = ended(g, ask(g, claim, "BBB-7002"))
        checks.equal((nothing["state"], nothing["result"], states(nothing)), ("answered", "uninsured", {P1: "not_ours", P2: "not_ours", P3: "not_ours"}), "not our insured, three times: uninsured")
        checks.that("insurer" not in nothing, "and no insurer")
        answer, body = seen_by(g, checks, "p1", claim)
        findings = findings_of(answer)
        checks.equal(findings.get("vehicle-uninsured"), "warn", f"a finding that opens the fund's way {findings}")
        cover = {v["plate"]: v.get("cali", {}).get("status") for v in answer["case"]["vehicles"]}
        checks.equal((cover["AAA-7001"], cover["BBB-7002"], cover["CCC-7003"]), ("insured", "uninsured", "insured"), f"in the case {cover}")
        checks.that(b"2026-004447" not in body and b"4447" not in body, "the policy's number stays with who asked")
        types = [e["type"] for e in g.events("p1")]
        checks.equal(types.count("cover.answered"), 3, f"who asked is told each time {types}")
        checks.equal([e["type"] for e in g.events("l3") if e["type"].startswith("cover") or "cali" in e["type"]], [], "a life insurer is told nothing of it")
        kinds = [d["kind"] for d in answer["documents"]]
        checks.equal((kinds.count("cali-answer"), kinds.count("cali-denial")), (2, 0), "the answers that name an insurer go where the accident's papers go; denials to nobody")
        leaves(g, 3)
        who_may(g, case, claims, row)
        for desk in desks.values():
            desk.close()


def leaves(g, lookups):
    db = sqlite3.connect(f"file:{g.dir}/store/claimgate.db?mode=ro", uri=True, timeout=10)
    count = dict(db.execute("SELECT kind, count(*) FROM leaves GROUP BY kind"))
    questions = db.execute("SELECT sum(tries) FROM inquiries").fetchone()[0]
    db.close()
    checks.equal((count["cover-lookup"], count["cover-question"], count["cover-answer"]), (lookups, questions, questions), "every question and every answer is a leaf of the log")


def who_may(g, case, claims, row):
    claim = claims[P1, "cali"]
    checks.equal(ask(g, claim, "ZZZ-9999").code(), "lookup-vehicle", "not a stranger's car")
    checks.equal(g.post("p1", "/v1/cover-lookups", {"claim": claim, "plate": "AAA-7001", "date": "2026-01-02"}).code(), "lookup-vehicle", "nor another day")
    checks.equal(ask(g, claims[L3, "life"], "AAA-7001", "l3").code(), "not-found", "a life insurer has no such question")
    checks.equal(ask(g, claim, "AAA-7001", "p2").code(), "not-found", "nor who has no claim in the case")
    checks.equal(g.get("p2", f"/v1/cover-lookups/{row['id']}").code(), "not-found", "or reads another's")
    checks.equal(g.get("l3", f"/v1/cover-lookups/{row['id']}").code(), "not-found", "nor does the life insurer")
    checks.equal(ask(g, claim, "AAA-7001", purpose="curiosity").code(), "schema-invalid", "a purpose of the list")
    checks.equal(g.call("POST", "/v1/cover-lookups", compact({"claim": claim, "plate": "AAA-7001", "date": g.day(0)}), {"Content-Type": "application/json"}, g.token("h1")).status, 403, "a hospital has no such scope")
    mine = g.post("app", "/v1/cover-lookups", {"case": case, "plate": "AAA-7001", "date": g.day(0)})
    checks.equal((mine.status, mine.json()["insurer"]["code"]), (202, P2), f"the person's app, for a case that it filed {mine}")
    checks.that(not {"asked", "period", "certificate_no"} & set(mine.json()), "is told with whom, and no more")
    stranger = g.apply(application(LEE, [item(P3, "cali", ["cali_medical"], PAPERS)]), "person-lee")
    checks.equal(g.post("app", "/v1/cover-lookups", {"case": stranger.json()["case"], "plate": "AAA-7001", "date": g.day(0)}).code(), "lookup-vehicle", "a case without the car asks for nothing")


def register():
    """The register is asked first, and alone where it knows; its word against an insurer's is for a person."""
    with AccidentGateway() as g:
        g.findings = ("cover-differs", "vehicle-uninsured")  # what this is about
        _, claims = begun(g, checks, {"CCC-7003": P1})
        claim = claims[P1, "cali"]
        desks = desks_of(g, "p1", "p2", "p3")
        cir = CoverDesk(g, "cir", CIR, register=True)
        g.set_options("cir", lookup_url=cir.url)
        cir.insure(CARS["found"], insurer=P3)
        row = ended(g, ask(g, claim, "AAA-7001"))
        checks.equal((row["result"], row["insurer"]["code"], row["asked"][0]["kind"]), ("insured", P3, "register"), f"the register names P3 {row}")
        checks.equal([d.plates() for d in desks.values()], [[], [], []], "no insurer was asked")
        row = ended(g, ask(g, claim, "BBB-7002"))
        checks.equal((row["result"], len(cir.asked), [d.plates() for d in desks.values()]), ("uninsured", 2, [[], [], []]), "uninsured, by the register's word alone")

        desks["p1"].insure(CARS["named"])
        row = ended(g, ask(g, claim, "CCC-7003"))
        checks.equal((row["state"], "result" in row, desks["p1"].plates()), ("contradictory", False, [CARS["named"]]), "the register: nobody; whom the slip names: ours")
        answer, _ = seen_by(g, checks, "p1", claim)
        checks.equal(findings_of(answer).get("cover-differs"), "hold", "a finding, for a person to decide")

        cir.script(CARS["denied"], lambda q: (503, b""))
        desks["p3"].insure(CARS["denied"])
        row = ended(g, ask(g, claim, "DDD-7004"))
        checks.equal((row["result"], row["insurer"]["code"]), ("insured", P3), "where the register is down the insurers are asked")
        cir.lie(CARS["slow"], answer="not_ours")
        row = ended(g, ask(g, claim, "EEE-7005"))
        checks.equal((row["result"], row["asked"][0]["code"]), ("uninsured", "lookup-answer-differs"), "a word that is not the register's; all insurers deny")
        for desk in (*desks.values(), cir):
            desk.close()


def main():
    for play in (in_turn, register):
        print(play.__name__, flush=True)
        play()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
