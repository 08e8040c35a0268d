#!/usr/bin/env python3
"""Attachments in pieces over a connection that breaks: what arrived is kept, the rest follows, and the file is the one that was declared."""
import os
import socket
import struct

from support import *  # noqa: F403

check = Checks()
PHOTO = 2_000_000


def begin_patch(g, token, path, offset, data, n):
    """A PATCH that announces all of data and sends n bytes of it."""
    head = (f"PATCH {path} HTTP/1.1\r\nHost: gateway.example.tw\r\nAuthorization: Bearer {token}\r\nUpload-Offset: {offset}\r\n"
            f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n").encode()
    s = socket.create_connection(("127.0.0.1", g.port))
    s.sendall(head + data[:n])
    return s


def break_off(*words):
    """The connection ends in order, within the body: all that was sent arrives."""
    with begin_patch(*words) as s:
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass


def reset(*words):
    """The connection is torn: what was on its way may be lost."""
    s = begin_patch(*words)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Uploader:
    def __init__(self, g, party="r1"):
        self.g, self.token = g, g.token(party)

    def begin(self, data, want=201, digest=None):
        wish = {"sha256": digest or sha256_hex(data), "bytes": len(data), "media": "image/jpeg"}
        answer = self.g.call("POST", "/v1/uploads", compact(wish), {"Content-Type": "application/json"}, self.token)
        check.equal(answer.status, want, f"begin: {answer}")
        return answer

    def state(self, path):
        return self.g.call("GET", path, token=self.token)

    def append(self, path, offset, data):
        return self.g.call("PATCH", path, data, {"Content-Type": "image/jpeg", "Upload-Offset": str(offset)}, self.token)


def go_on(u, path, had, data):
    """Sends the rest; where another request was faster, from where the answer says."""
    answer = u.append(path, had, data[had:])
    while answer.status == 409:
        had = int(answer.headers["upload-offset"])
        answer = u.append(path, had, data[had:])
    return answer


def in_tenths(u, tear, data, photo):
    """The connection breaks at every tenth of the file.  The upload's path and the last answer."""
    path, size = u.begin(data).headers["location"], len(data)
    had = 0
    for goal in range(size // 10, size - 9, size // 10):
        tear(u.g, u.token, path, had, data[had:], max(0, goal - had))
        now = u.state(path).json()["received"]
        check.that(now == goal if tear is break_off else had <= now <= goal, f"photo {photo}: {now} of {goal} after {had}")
        had = now
    answer = go_on(u, path, had, data)
    check.equal((answer.status, answer.json().get("complete")), (200, True), f"photo {photo}: {answer}")
    return path


def ten_photos(u, tear):
    for photo in range(10):
        data = os.urandom(PHOTO)
        path = in_tenths(u, tear, data, photo)
        check.equal(u.begin(data, want=200).json()["complete"], True, f"photo {photo}: declared again, it is known by its digest")
        check.equal(u.state(path).status, 404, f"photo {photo}: the upload is gone")


def refusals(u):
    data = os.urandom(100_000)
    path = u.begin(data).headers["location"]
    answer = u.append(path, 5, data)
    check.equal((answer.status, answer.code(), answer.headers.get("upload-offset")), (409, "upload-offset", "0"), "wrong offset")
    check.equal(u.append(path, 0, data + b"x").code(), "too-large", "more than was declared")
    check.equal(u.append(path, 0, data[:60_000]).json()["received"], 60_000, "a piece")
    answer = u.append(path, 0, data[:60_000])
    check.equal((answer.code(), answer.headers.get("upload-offset")), ("upload-offset", "60000"), "the same piece again")
    check.equal(u.g.call("GET", path, token=u.g.token("k1")).status, 404, "another organisation's")
    check.equal(u.g.call("DELETE", path, token=u.token).status, 204, "given up")
    check.equal(u.state(path).status, 404, "and gone")
    path = u.begin(data, digest=sha256_hex(b"other")).headers["location"]
    answer = u.append(path, 0, data)
    check.equal((answer.status, answer.code()), (422, "attachment-digest"), "another digest than declared")
    check.equal(u.state(path).status, 404, "a wrong upload is removed")
    for wish, place in (({"sha256": "x", "bytes": 1, "media": "image/jpeg"}, "/sha256"), ({"sha256": "0" * 64, "bytes": 0, "media": "image/jpeg"}, "/bytes"),
                        ({"sha256": "0" * 64, "bytes": 26_214_401, "media": "image/jpeg"}, "/bytes"), ({"sha256": "0" * 64, "bytes": 1}, "/media")):
        answer = u.g.call("POST", "/v1/uploads", compact(wish), {"Content-Type": "application/json"}, u.token)
        check.that(answer.status in (400, 413, 422) and place in answer.body.decode(), f"{wish}: {answer}")


def across_a_restart(u):
    data = os.urandom(300_000)
    path = u.begin(data).headers["location"]
    u.append(path, 0, data[:100_000])
    u.g.restart()
    again = Uploader(u.g)
    check.equal(again.state(path).json()["received"], 100_000, "what was answered survives a restart")
    check.equal(again.append(path, 100_000, data[100_000:]).json()["complete"], True, "and is gone on with")
    for file in u.g.dir.rglob("*"):
        if file.is_file():
            check.that(data[1000:1100] not in file.read_bytes(), f"{file.name} holds a photo in clear")


def main():
    with Gateway() as g:
        u = Uploader(g)
        ten_photos(u, break_off)
        ten_photos(u, reset)
        refusals(u)
        across_a_restart(u)
        g.stop()
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
