"""ES256 in this process, for tests that sign thousands of times: a table of the base point's multiples, so that one signature costs a few milliseconds instead of a process.
Slow by any other measure and without any protection of the key; only for tests."""
import hashlib
import re
import secrets

from support import b64url, compact, openssl

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def table():
    """multiples[i][d] = d * 256^i * G"""
    rows, base = [], G
    for _ in range(32):
        row = [None, base]
        for _ in range(254):
            row.append(add(row[-1], base))
        rows.append(row)
        base = add(row[-1], base)
    return rows


TABLE = table()


def multiple(k):
    point = None
    for i in range(32):
        point = add(point, TABLE[i][k >> 8 * i & 0xff])
    return point


class Key:
    def __init__(self, path, certificate=None):
        text = openssl("pkey", "-in", path, "-text", "-noout").decode()
        self.d = int(re.sub(r"[\s:]", "", re.search(r"priv:(.*?)pub:", text, re.S).group(1)), 16)
        self.certificate = certificate

    def sign(self, data):
        z = int.from_bytes(hashlib.sha256(data).digest(), "big")
        while True:
            k = secrets.randbelow(N - 1) + 1
            r = multiple(k)[0] % N
            s = pow(k, -1, N) * (z + r * self.d) % N
            if r and s:
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jws(self, header, payload):
        """Compact; the header gets the algorithm and the certificate."""
        head = b64url(compact({"alg": "ES256", **({"x5c": [self.certificate]} if self.certificate else {}), **header}))
        signed = f"{head}.{b64url(payload)}"
        return f"{signed}.{b64url(self.sign(signed.encode()))}"

    def detached(self, header, payload):
        head, _, signature = self.jws(header, payload).split(".")
        return f"{head}..{signature}"
