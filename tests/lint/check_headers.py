"""Every header compiles alone, with the flags of its room, and may be included twice."""
import concurrent.futures
import json
import os
import shlex
import subprocess

from lint import C_ROOMS, Tree, room_of

# Tables of rows that are included many times on purpose.
MANY_TIMES = {"adapters/case_rows.h"}


def flags_by_room(tree):
    """Room → (compiler, flags) of any file of that room."""
    out = {}
    for entry in json.loads((tree.build / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), tree.source)
        words = shlex.split(entry["command"])
        while words and os.path.basename(words[0]) in ("ccache", "env"):
            words = words[1:]
        flags, skip = [], False
        for word in words[1:]:
            if skip or word in ("-c", entry["file"]):
                skip = False
            elif word == "-o":
                skip = True
            else:
                flags.append(word)
        room = "tests/" + os.path.dirname(path) if path.startswith("tests/") else room_of(path)
        out.setdefault(room, (words[0], flags))
    return out


def compile_alone(tree, path, compiler, flags):
    folder = path.parent.as_posix()
    unit = f'#include "{path.as_posix()}"\n'
    if path.as_posix() not in MANY_TIMES:
        unit += unit
    # An empty unit is no C; a declaration of its own costs nothing.
    unit += "extern int header_alone;\n"
    command = [compiler, *flags, "-fsyntax-only", "-I", str(tree.source), "-I", str(tree.source / folder), "-x", "c", "-"]
    return subprocess.run(command, input=unit, capture_output=True, text=True, cwd=tree.build)


def main():
    tree = Tree()
    if not (tree.build / "compile_commands.json").exists():
        tree.skip("no compile_commands.json in the build folder")
    flags = flags_by_room(tree)
    if "base" not in flags:
        tree.skip("the build folder knows no file of the base room")
    headers = [p for p in tree.files(".h") if p.parts[0] in C_ROOMS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        runs = {p: pool.submit(compile_alone, tree, p, *flags.get(room_of(p.as_posix()), flags["base"])) for p in headers}
        for path, run in runs.items():
            tree.looked += 1
            result = run.result()
            if result.returncode:
                tree.find(path, 1, "does not compile alone\n    " + result.stderr.strip().replace("\n", "\n    ")[:1500])
    tree.done("headers")


main()
