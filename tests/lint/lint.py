"""What the checks in this folder share: the files of the tree, C text without comments and strings, rows of .def tables, a report.

A check is called with the source folder and the build folder.  It prints each finding as path:line: text and ends with 0 (clean), 1 (findings) or 77
(cannot be run here).  A check that looked at nothing fails: a wrong path must not read as a clean tree.
"""
import os
import pathlib
import re
import socket
import sys

SKIPPED = {".git", "build", "node_modules", ".cache", "__pycache__"}
SKIP = 77


class Tree:
    def __init__(self):
        if len(sys.argv) != 3:
            print(f"usage: {sys.argv[0]} SOURCE BUILD", file=sys.stderr)
            sys.exit(2)
        self.source = pathlib.Path(sys.argv[1]).resolve()
        self.build = pathlib.Path(sys.argv[2]).resolve()
        self.found = 0
        self.warned = 0
        self.looked = 0

    def files(self, *suffixes, under=""):
        """Relative paths below a folder, sorted; all files when no suffix is given."""
        out = []
        for folder, names, files in os.walk(self.source / under):
            names[:] = sorted(n for n in names if n not in SKIPPED and pathlib.Path(folder, n) != self.build)
            out += [pathlib.Path(folder, f).relative_to(self.source) for f in files if f not in SKIPPED and (not suffixes or f.endswith(suffixes))]
        return sorted(out)

    def text(self, path):
        self.looked += 1
        return (self.source / path).read_text(encoding="utf-8")

    def has(self, path):
        return (self.source / path).exists()

    def find(self, path, line, text):
        self.found += 1
        print(f"{path}:{line}: {text}")

    def warn(self, path, line, text):
        self.warned += 1
        print(f"{path}:{line}: warning: {text}")

    def skip(self, why):
        print(f"skipped: {why}")
        sys.exit(SKIP)

    def done(self, what):
        if not self.looked:
            print("nothing was looked at")
            sys.exit(1)
        print(f"{what}: {self.looked} looked at, {self.found} findings, {self.warned} warnings")
        sys.exit(1 if self.found else 0)


C_ROOMS = ("gateway", "signing", "fhir", "adapters")
C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """Comments and the insides of strings become blanks; every other character keeps its place."""
    def replace(m):
        t = m.group(0)
        return blank(t) if t.startswith("/") else t[0] + blank(t[1:-1]) + t[-1]
    return C_TOKEN.sub(replace, text)


def without_comments(text):
    return C_TOKEN.sub(lambda m: blank(m.group(0)) if m.group(0).startswith("/") else m.group(0), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def room_of(path):
    """'gateway/flow/case/plan.c' -> 'flow', 'signing/jose/jws.c' -> 'signing', 'gateway/main.c' -> 'main', else ''."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "gateway":
        return parts[1] if len(parts) > 2 else "main"
    return parts[0] if parts[0] in C_ROOMS else ""


class Row:
    def __init__(self, line, name, args):
        self.line, self.name, self.args = line, name, args

    def text(self, i):
        """Argument i as a C string: adjacent literals joined, escapes for quotes and line ends read."""
        parts = re.findall(r'"((?:\\.|[^"\\])*)"', self.args[i])
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), "".join(parts))


def rows(text, *names):
    """Macro calls at the start of a line, with their arguments cut at the top level."""
    plain = without_comments(text)
    masked = code_only(text)
    out = []
    for m in re.finditer(r"^(%s)\(" % "|".join(names), masked, re.M):
        depth, at, start, args = 1, m.end(), m.end(), []
        while depth and at < len(masked):
            c = masked[at]
            if c in "({[":
                depth += 1
            elif c in ")}]":
                depth -= 1
            if (c == "," and depth == 1) or depth == 0:
                args.append(plain[start:at].strip())
                start = at + 1
            at += 1
        out.append(Row(line_of(text, m.start()), m.group(1), args))
    return out


def functions(text):
    """(name, line of the head, first line of the body, last line) for each function; the house form: braces of functions alone in column 0."""
    lines = code_only(text).split("\n")
    out = []
    opened = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            opened = number
        elif line.startswith("}") and opened:
            head = opened - 1
            while head > 1 and not re.match(r"[A-Za-z_]\w*\(", lines[head - 1]):
                head -= 1
                if not lines[head - 1].strip():
                    break
            name = re.match(r"(\w+)\(", lines[head - 1])
            out.append((name.group(1) if name else "?", head, opened, number))
            opened = None
    return out


def has_han(text):
    return re.search(r"[\u4e00-\u9fff\u3400-\u4dbf]", text) is not None


def free_ports(names):
    """Different ones: all are held until all are known."""
    sockets = [socket.socket() for _ in names]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return {name: s.getsockname()[1] for name, s in zip(names, sockets)}
    finally:
        for s in sockets:
            s.close()
