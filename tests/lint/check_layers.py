"""Includes go with the arrows: the rooms and what each may use stand in CMakeLists.txt, the order of the layers here.

Also: a header of a room's inside is included by its own folder only, third-party headers are wrapped once, and a unit test includes its room and what is below.
"""
import posixpath
import re

from lint import C_ROOMS, Tree, line_of, room_of, without_comments

LAYERS = [{"base"}, {"signing", "fhir", "store"}, {"http", "net"}, {"adapters"}, {"flow"}, {"relay", "duty", "api", "conformance"}, {"cli", "main"}]
# The wire is not a matter of flow or adapters, whatever their layer says.
NEVER = {("flow", "http"), ("flow", "net"), ("adapters", "http"), ("adapters", "net"), ("adapters", "store"), ("http", "store"), ("http", "fhir"), ("net", "store"), ("net", "fhir")}

# Prefix of a third-party header → where it may stand.
THIRD_PARTY = {
    "microhttpd.h": ("gateway/http/",),
    "gnutls/": ("gateway/http/",),
    "sqlite3.h": ("gateway/store/",),
    "curl/": ("gateway/net/",),
    "p11-kit/": ("signing/jose/key_pkcs11.c",),
    "xmlsec/": ("signing/xml/xmldsig.c", "signing/xml/xmldsig_reference.c"),
    "gmp.h": ("signing/jose/p256.c",),
    "zlib.h": ("signing/inflate.c", "fhir/package.c", "gateway/conformance/"),
    "zip.h": ("adapters/mydata/archive.c", "gateway/cli/check/package.c"),
    "jansson.h": ("gateway/base/json.h",),
    "libconfig.h": ("gateway/base/config.c",),
    "openssl/": ("signing/", "gateway/base/", "gateway/flow/evidence/seal.c", "gateway/cli/operate/info.c", "gateway/cli/bench/bench_limits.c", "gateway/cli/bench/bench_verify.c"),
    "libxml/": ("gateway/base/xml.", "signing/"),
    "pcre2.h": ("fhir/path/regex.c",),
    "systemd/": ("gateway/cli/",),
}
SYSTEM = set("""assert.h ctype.h dirent.h endian.h errno.h fcntl.h float.h grp.h iconv.h inttypes.h limits.h locale.h math.h netdb.h poll.h pthread.h pwd.h sched.h
semaphore.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h termios.h time.h unistd.h emmintrin.h immintrin.h malloc.h
ftw.h dlfcn.h getopt.h spawn.h""".split())
SYSTEM_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/", "net/")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.M)


def rooms_of_cmake(tree):
    uses = {}
    for m in re.finditer(r"^room\((\w+)\s+([^\s)]+)([^)]*)\)", tree.text("CMakeLists.txt"), re.M | re.S):
        words = m.group(3).replace("\n", " ").split("LINK")[0].split()
        uses[m.group(1)] = set(words[1:]) if words and words[0] == "USES" else set()
    uses["main"] = set(uses)
    return uses


def level(room):
    return next(i for i, layer in enumerate(LAYERS) if room in layer)


def check_table(tree, uses):
    known = set().union(*LAYERS)
    for room in sorted(set(uses) ^ known):
        tree.find("CMakeLists.txt", 1, f"room {room} stands in one of the two tables only (CMakeLists.txt, check_layers.py)")
    for room, used in uses.items():
        for other in sorted(used & known):
            if room in known and room != other and level(other) >= level(room) and (room, other) != ("main", "cli"):
                tree.find("CMakeLists.txt", 1, f"room {room} uses {other} against the layers")
            if (room, other) in NEVER:
                tree.find("CMakeLists.txt", 1, f"room {room} must not use {other}")


def check_ours(tree, path, line, target, allowed):
    full = next((p for p in (target, "gateway/" + target) if tree.has(p)), None)
    if full is None:
        beside = posixpath.join(posixpath.dirname(path.as_posix()), target)
        if path.parts[0] != "tests" or not tree.has(beside):
            tree.find(path, line, f'"{target}" is not found from the include roots')
        return
    if full.startswith("tests/") and path.parts[0] == "tests":
        return
    room = room_of(full)
    if room not in allowed:
        tree.find(path, line, f'"{target}" is against the layers')
    name = posixpath.basename(full)
    inside = name == "inside.h" or name.endswith("_inside.h")
    if inside and posixpath.dirname(full) != path.parent.as_posix() and path.parts[0] != "tests":
        tree.find(path, line, f'"{target}" is the inside of another folder')


def check_foreign(tree, path, line, header):
    if header in SYSTEM or header.startswith(SYSTEM_FOLDERS):
        return
    for prefix, places in THIRD_PARTY.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            if not path.as_posix().startswith(places):
                tree.find(path, line, f"<{header}> is wrapped once, in {', '.join(places)}")
            return
    tree.find(path, line, f"<{header}> is neither of the system nor in the table of third-party headers (check_layers.py)")


def closure(uses, room):
    seen, todo = set(), [room]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += uses.get(one, ())
    return seen


def main():
    tree = Tree()
    uses = rooms_of_cmake(tree)
    check_table(tree, uses)
    for path in tree.files(".c", ".h", ".def"):
        in_tests = path.parts[0] == "tests"
        if path.parts[0] not in C_ROOMS and not in_tests:
            continue
        if in_tests:
            room = path.parts[2] if path.parts[1] == "unit" and len(path.parts) > 3 else None
            allowed = closure(uses, room) if room else set(uses)
        else:
            room = room_of(path.as_posix())
            if room not in uses:
                tree.find(path, 1, f"{room} is no room of CMakeLists.txt")
                continue
            allowed = uses[room] | {room}
        text = tree.text(path)
        for m in INCLUDE.finditer(without_comments(text)):
            line = line_of(text, m.start())
            if m.group(1):
                check_ours(tree, path, line, m.group(1), allowed)
            elif not in_tests:
                check_foreign(tree, path, line, m.group(2))
    tree.done("layers")


main()
