"""What the scripted wallet and the scripted platform seal and sign with: JWE, SD-JWT and did:key on the standard library and the `openssl` command.

AES is written out here because neither gives GCM or key wrap; it is slow and only for tests.
"""
import base64
import hashlib
import hmac
import json
import os
import secrets

from support import b64url, compact, jws_es256, openssl

# -- AES-256, forward only --

SBOX = bytearray(256)


def make_sbox():
    p = q = 1
    while True:
        p = p ^ (p << 1 & 0xff) ^ (0x1b if p & 0x80 else 0)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xff
        q ^= 0x09 if q & 0x80 else 0
        SBOX[p] = q ^ (q << 1 | q >> 7) & 0xff ^ (q << 2 | q >> 6) & 0xff ^ (q << 3 | q >> 5) & 0xff ^ (q << 4 | q >> 4) & 0xff ^ 0x63
        if p == 1:
            SBOX[0] = 0x63
            return


make_sbox()


def double(b):
    return (b << 1 ^ (0x1b if b & 0x80 else 0)) & 0xff


def expand(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        w = list(words[-1])
        if i % 8 == 0:
            w = [SBOX[b] for b in w[1:] + w[:1]]
            w[0] ^= rcon
            rcon = double(rcon)
        elif i % 8 == 4:
            w = [SBOX[b] for b in w]
        words.append([a ^ b for a, b in zip(words[i - 8], w)])
    return [sum(words[i:i + 4], []) for i in range(0, 60, 4)]


def encrypt_block(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for rnd in range(1, 15):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if rnd < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                mixed += [double(a[i]) ^ double(a[(i + 1) % 4]) ^ a[(i + 1) % 4] ^ a[(i + 2) % 4] ^ a[(i + 3) % 4] for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, keys[rnd])]
    return bytes(s)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16].ljust(16, b"\0"), "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
        y = z
    return y


def aes_gcm(key, iv, aad, plain):
    keys = expand(key)
    h = int.from_bytes(encrypt_block(keys, bytes(16)), "big")
    blocks = [plain[i:i + 16] for i in range(0, len(plain), 16)]
    text = b"".join(xor(b, encrypt_block(keys, iv + (i + 2).to_bytes(4, "big"))) for i, b in enumerate(blocks))
    def pad(d):
        return d + bytes(-len(d) % 16)
    s = ghash(h, pad(aad) + pad(text) + (8 * len(aad)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big"))
    return text, xor(s.to_bytes(16, "big"), encrypt_block(keys, iv + b"\0\0\0\1"))


def aes_cbc(key, iv, plain):
    keys, out = expand(key), b""
    n = 16 - len(plain) % 16
    plain += bytes([n]) * n
    for i in range(0, len(plain), 16):
        iv = encrypt_block(keys, xor(iv, plain[i:i + 16]))
        out += iv
    return out


def key_wrap(kek, key):
    keys, a, r = expand(kek), b"\xa6" * 8, [key[i:i + 8] for i in range(0, len(key), 8)]
    for j in range(6):
        for i in range(len(r)):
            b = encrypt_block(keys, a + r[i])
            a, r[i] = xor(b[:8], (len(r) * j + i + 1).to_bytes(8, "big")), b[8:]
    return a + b"".join(r)


# -- keys --

def ec_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    os.chmod(path, 0o400)
    return path


def public_jwk(path):
    point = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")[-64:]
    return {"kty": "EC", "crv": "P-256", "x": b64url(point[:32]), "y": b64url(point[32:])}


def did_key(jwk):
    number = int.from_bytes(b"\xd1\xd6\x03" + json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(), "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return "did:key:z" + text


# -- JWE --

def jwe_ecdh(folder, jwk, plain):
    """ECDH-ES with A256GCM to a P-256 key."""
    mine, theirs = ec_key(folder / f"epk-{secrets.token_hex(4)}.key"), folder / f"peer-{secrets.token_hex(4)}.der"
    def raw(n):
        return base64.urlsafe_b64decode(n + "=" * (-len(n) % 4))
    theirs.write_bytes(bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + raw(jwk["x"]) + raw(jwk["y"]))
    shared = openssl("pkeyutl", "-derive", "-inkey", mine, "-peerkey", theirs, "-peerform", "DER")
    other = b"\0\0\0\x07A256GCM" + bytes(8) + (256).to_bytes(4, "big")
    key = hashlib.sha256(b"\0\0\0\1" + shared + other).digest()
    head = b64url(compact({"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk.get("kid", ""), "epk": public_jwk(mine)}))
    iv = secrets.token_bytes(12)
    text, tag = aes_gcm(key, iv, head.encode(), plain)
    return f"{head}..{b64url(iv)}.{b64url(text)}.{b64url(tag)}"


def jwe_wrapped(kek, plain):
    """A256KW with A256CBC-HS512."""
    head, key, iv = b64url(compact({"alg": "A256KW", "enc": "A256CBC-HS512"})), secrets.token_bytes(64), secrets.token_bytes(16)
    text = aes_cbc(key[32:], iv, plain)
    tag = hmac.new(key[:32], head.encode() + iv + text + (8 * len(head)).to_bytes(8, "big"), hashlib.sha512).digest()[:32]
    return ".".join([head, b64url(key_wrap(kek, key)), b64url(iv), b64url(text), b64url(tag)])


# -- SD-JWT --

def sd_jwt(issuer_key, header, payload, hidden, where):
    """hidden: name to value; where(payload, digests) puts the digests. Returns the issuer's JWT and the disclosures, each with a tilde behind."""
    disclosures = [b64url(compact([b64url(secrets.token_bytes(16)), name, value])) for name, value in hidden.items()]
    where(payload, [b64url(hashlib.sha256(d.encode()).digest()) for d in disclosures])
    return jws_es256(issuer_key, header, compact(payload)) + "~" + "".join(d + "~" for d in disclosures)


def key_binding(holder_key, presented, nonce, audience, now, more=None):
    payload = {"iat": now, "nonce": nonce, "aud": audience, "sd_hash": b64url(hashlib.sha256(presented.encode()).digest()), **(more or {})}
    return presented + jws_es256(holder_key, {"typ": "kb+jwt"}, compact(payload))
