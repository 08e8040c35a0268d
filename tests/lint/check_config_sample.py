"""deploy/claimgate.conf is what `claimgate config explain` prints, and the program reads it back as all defaults."""
import difflib
import subprocess

from lint import Tree


def main():
    tree = Tree()
    binary = tree.build / "claimgate"
    if not binary.exists():
        tree.skip("the program is not built")
    path = "deploy/claimgate.conf"
    run = subprocess.run([binary, "config", "explain"], capture_output=True, text=True, timeout=60)
    if run.returncode:
        tree.find(path, 1, f"claimgate config explain ended with {run.returncode}: {run.stderr.strip()}")
    elif run.stdout != tree.text(path):
        for line in difflib.unified_diff(tree.text(path).split("\n"), run.stdout.split("\n"), path, "claimgate config explain", lineterm="", n=0):
            print("   ", line)
        tree.find(path, 1, "differs from the table: claimgate config explain > deploy/claimgate.conf")
    environment = {"PATH": "/usr/bin:/bin"}
    shown = subprocess.run([binary, "config", "show", "--config", tree.source / path], capture_output=True, text=True, timeout=60, env=environment)
    if shown.returncode:
        tree.find(path, 1, f"claimgate config show --config {path} ended with {shown.returncode}: {shown.stderr.strip()}")
    tree.done("sample configuration")


main()
