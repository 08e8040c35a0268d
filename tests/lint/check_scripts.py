"""Scripts are marked as such and can be read by their shell; packages are named once, in deploy/packages.txt, and used by what names them."""
import os
import re
import shutil
import subprocess

from lint import Tree

SCRIPTS = (".ci/run", "deploy/fuzz-all.sh", "deploy/install-packages.sh", "deploy/run-demo.sh", "deploy/run-tests.sh", "tests/fuzz/run.sh")
PURPOSES = {"build", "test", "run"}


def check_script(tree, path):
    text = tree.text(path)
    if not text.startswith("#!/bin/sh\n"):
        tree.find(path, 1, "begins with #!/bin/sh")
    if "\nset -eu\n" not in text:
        tree.find(path, 2, "set -eu: a step that fails ends the script")
    if not os.access(tree.source / path, os.X_OK):
        tree.find(path, 1, "is not executable")
    run = subprocess.run(["sh", "-n", tree.source / path], capture_output=True, text=True)
    if run.returncode:
        tree.find(path, 1, run.stderr.strip())
    if shutil.which("shellcheck"):
        run = subprocess.run(["shellcheck", "-f", "gcc", tree.source / path], capture_output=True, text=True)
        for line in filter(None, run.stdout.split("\n")):
            tree.find(path, int(line.split(":")[1]), line.split(": ", 1)[1])


def check_packages(tree):
    path = "deploy/packages.txt"
    seen = set()
    for number, line in enumerate(tree.text(path).split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        words = line.split()
        if len(words) not in (2, 3) or words[1] not in PURPOSES or not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", words[0]):
            tree.find(path, number, "a line is: package purpose [command]")
        elif words[0] in seen:
            tree.find(path, number, f"{words[0]} stands twice")
        seen.add(words[0])


def main():
    tree = Tree()
    for path in SCRIPTS:
        if tree.has(path):
            check_script(tree, path)
        else:
            tree.find(path, 1, "is missing")
    if "deploy/run-tests.sh" not in tree.text(".ci/run"):
        tree.find(".ci/run", 1, "runs what the README says: deploy/run-tests.sh")
    check_packages(tree)
    for path in tree.files(".sh"):
        if path.as_posix() not in SCRIPTS:
            tree.find(path, 1, "is not in the list of scripts (check_scripts.py)")
    tree.done("scripts")


main()
