"""C files stand as clang-format-14 sets them with the .clang-format of the root; tables (.def) are left alone."""
import concurrent.futures
import os
import shutil
import subprocess

from lint import C_ROOMS, Tree


def first_difference(tree, path):
    run = subprocess.run(["clang-format-14", "--dry-run", str(tree.source / path)], capture_output=True, text=True)
    lines = [line for line in run.stderr.split("\n") if ": warning:" in line]
    return len(lines), int(lines[0].split(":")[1]) if lines else 0, run.returncode


def main():
    tree = Tree()
    if not shutil.which("clang-format-14"):
        tree.skip("clang-format-14 is not installed")
    paths = [p for p in tree.files(".c", ".h") if p.parts[0] in C_ROOMS or p.parts[0] == "tests"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for path, (n, line, code) in zip(paths, pool.map(lambda p: first_difference(tree, p), paths)):
            tree.looked += 1
            if code:
                tree.find(path, 1, "clang-format-14 cannot read it")
            elif n:
                tree.find(path, line, f"{n} places differ: clang-format-14 -i {path}")
    tree.done("format")


main()
