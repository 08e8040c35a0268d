"""The unit is well formed and its exposure stays at 1.5 or below; the user file makes the users that unit and proxy name."""
import os
import re
import shutil
import subprocess
import tempfile

from lint import Tree

UNIT = "deploy/claimgate.service"
USERS = "deploy/claimgate.sysusers.conf"
EXPOSURE_MAX = 1.5


def check_exposure(tree):
    run = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", tree.source / UNIT], capture_output=True, text=True)
    m = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run.stdout)
    if not m:
        tree.find(UNIT, 1, f"systemd-analyze tells no exposure: {run.stderr.strip()[:400]}")
        return
    print(f"exposure {m.group(1)}")
    if float(m.group(1)) > EXPOSURE_MAX:
        tree.find(UNIT, 1, f"exposure {m.group(1)}, at most {EXPOSURE_MAX}")


def check_form(tree):
    """`verify` knows every directive; that the program is not installed here is no fault of the unit."""
    with tempfile.TemporaryDirectory() as folder:
        copy = folder + "/claimgate.service"
        text = tree.text(UNIT)
        open(copy, "w").write(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
        run = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
        for line in run.stderr.split("\n"):
            if "claimgate.service:" in line:
                number = re.search(r"claimgate\.service:(\d+):", line)
                tree.find(UNIT, int(number.group(1)) if number else 1, line.split(": ", 1)[-1])
    for word in re.findall(r"^(?:ExecStart=\S+) (\S+)", text, re.M):
        if word != "serve":
            tree.find(UNIT, 1, f"starts claimgate {word}")


def check_users(tree):
    if not shutil.which("systemd-sysusers"):
        return
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(root + "/etc")
        run = subprocess.run(["systemd-sysusers", f"--root={root}", "-"], input=tree.text(USERS) + "u haproxy -\n", capture_output=True, text=True)
        passwd, group = (open(f"{root}/etc/{name}").read() if os.path.exists(f"{root}/etc/{name}") else "" for name in ("passwd", "group"))
    unit = (tree.source / UNIT).read_text()
    user = re.search(r"^User=(\w+)", unit, re.M).group(1)
    if run.returncode or not re.search(rf"^{user}:", passwd, re.M):
        tree.find(USERS, 1, f"does not make the user {user}: {run.stderr.strip()[:300]}")
    if not re.search(rf"^{user}:.*\bhaproxy\b", group, re.M):
        tree.find(USERS, 1, f"haproxy is not in the group {user}")


def main():
    tree = Tree()
    if not shutil.which("systemd-analyze"):
        tree.skip("systemd-analyze is not installed")
    check_exposure(tree)
    check_form(tree)
    check_users(tree)
    tree.done("systemd unit")


main()
