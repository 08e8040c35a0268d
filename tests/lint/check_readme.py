"""The README's session under “Try it” runs as it stands, with the program of this build, in a folder of its own and on free ports."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from lint import Tree, free_ports

README = "README.md"
SECONDS = 100
# What each step must have said, in this order.
EXPECTED = ["waiting-permission", "waiting-permission", "signature-mismatch", "0 errors", "refused", "99000116 sent", "99000220 sent", "1 claim.opened", "document.available", "reimbursement_insurer",
            "sent", "404", "received_by_insurer", "waiting-permission", '"estimated":"84500"', "entry stands in the log", "is what was written", "checks hold", '"range":[', "沙箱第一醫院", "store ok", "claimgate_submissions_total", "http.connections"]


def session(text):
    start = text.index("\n## Try it")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text[start:text.index("\n## ", start + 1)], re.S | re.M))


def run(tree, folder, script):
    ports = free_ports(("8443", "9464"))
    for port, free in ports.items():
        script = script.replace(port, str(free))
    # init writes the port of the listener into the configuration.
    script = script.replace("init ./sandbox --sandbox", f"init ./sandbox --sandbox --listen 127.0.0.1:{ports['8443']}")
    environment = {**os.environ, "PATH": f"{tree.build}:{os.environ['PATH']}", "no_proxy": "*"}
    process = subprocess.Popen(["bash", "-e", "-u", "-c", "trap 'kill $!; wait' EXIT\n" + script], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, errors = process.communicate()
        errors += f"\nnot done after {SECONDS} s"
    return process.returncode, out, errors


def check_output(tree, out):
    at = 0
    for words in EXPECTED:
        found = out.find(words, at)
        if found < 0:
            tree.find(README, 1, f"“{words}” is not said, or not in its place")
            return
        at = found + len(words)


def main():
    tree = Tree()
    if not (tree.build / "claimgate").exists() or not shutil.which("curl") or not shutil.which("jq"):
        tree.skip("the program, curl or jq is missing")
    script = session(tree.text(README))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(tree.source / "docs/examples", folder + "/docs/examples")
        code, out, errors = run(tree, folder, script)
        if code:
            tree.find(README, 1, f"the session ends with {code}")
        check_output(tree, out)
        if tree.found:
            print(out[-3000:], errors[-3000:], sep="\n")
    tree.done("README")


main()
