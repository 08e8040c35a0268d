"""Papers that say who acts for whom, as a court, a household office or a person signs them."""
import base64
import datetime
import secrets

from support import certificate_der, compact, jws_es256

MOI, NIA = "http://www.moi.gov.tw", "http://www.immigration.gov.tw"
WANG = {"identifiers": [{"system": MOI, "value": "A190130001"}], "name": "王沙箱", "birth_date": "1988-05-12"}
LEE = {"identifiers": [{"system": MOI, "value": "B290110002"}], "name": "李沙箱", "birth_date": "1991-11-03"}
MOTHER = {"identifiers": [{"system": NIA, "value": "A890110003"}], "name": "NGUYEN THI SANDBOX", "birth_date": "1986-02-20"}
GRANDMA = {"identifiers": [{"system": MOI, "value": "B280120005"}], "name": "王陳沙箱", "birth_date": "1952-09-30"}
COURT = {"code": "A99120001G", "name": "沙箱地方法院家事法庭"}
HOUSEHOLD = {"code": "A99510001H", "name": "沙箱戶政事務所"}


def day(offset=0):
    """A day counted from today, in Taiwan."""
    return ((datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).date() + datetime.timedelta(days=offset)).isoformat()


def paper(kind, person, holders, **more):
    """What is signed.  The issuer stands in it unless the represented one signs himself."""
    issuer = {"parent": HOUSEHOLD, "heir": HOUSEHOLD, "guardian": COURT, "assistant": COURT}.get(kind)
    who = {"company": person} if "code" in person else {"person": person}
    return {"v": 1, "id": f"urn:uuid:{secrets.token_hex(16)}", "kind": kind, "no": "115-1", "issued": "2026-01-05", **who, "holders": list(holders), **({"issuer": issuer} if issuer else {}), **more}


def signed(g, what, signer, typ="claimgate-representation+jwt"):
    x5c = [base64.b64encode(certificate_der(g.pki / f"{signer}.crt")).decode()]
    return compact({"signature": jws_es256(g.pki / f"{signer}.key", {"typ": typ, "x5c": x5c}, compact(what))})


def send(g, body, name="app"):
    return g.call("POST", "/v1/representations", body, {"Content-Type": "application/json"}, g.token(name))


def prove(g, kind, person, holders, signer=None, **more):
    """Sends a paper by its proper issuer."""
    signer = signer or {"parent": "o1", "heir": "o1", "guardian": "g1", "assistant": "g1"}[kind]
    return send(g, signed(g, paper(kind, person, holders, **more), signer))
