"""The checks find what they are for: small trees, each wrong in one way, and the words that the check must say."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from lint import Tree

CMAKE = "room(base gateway/base)\nroom(signing signing USES base)\nroom(fhir fhir USES base)\nroom(store gateway/store USES base)\nroom(http gateway/http USES base signing)\n" \
    "room(net gateway/net USES base signing)\nroom(adapters adapters USES base fhir signing)\nroom(flow gateway/flow USES base store adapters)\nroom(relay gateway/relay USES flow)\n" \
    "room(duty gateway/duty USES flow)\nroom(api gateway/api USES http flow)\nroom(conformance gateway/conformance USES fhir)\nroom(cli gateway/cli USES api)\n"
BODY = "int\nf(void)\n{\n%s}\n"
ERR_ROW = 'ERR(E_A, "%s", 400, "value", false,\n    "Text.", "%s", "Remedy.", "補救。")\n'

# check, files of the tree, words of the finding
CASES = [
    ("layers", {"gateway/base/a.c": '#include "flow/b.h"\n', "gateway/flow/b.h": "\n"}, "against the layers"),
    ("layers", {"gateway/flow/a.c": '#include "http/b.h"\n', "gateway/http/b.h": "\n"}, "against the layers"),
    ("layers", {"gateway/flow/a.c": "#include <sqlite3.h>\n"}, "wrapped once"),
    ("layers", {"gateway/flow/a.c": "#include <lzma.h>\n"}, "neither of the system"),
    ("layers", {"gateway/flow/a.c": '#include "gone.h"\n'}, "is not found"),
    ("layers", {"gateway/store/inside.h": "\n", "gateway/flow/a.c": '#include "store/inside.h"\n'}, "inside of another folder"),
    ("layers", {"tests/unit/base/a.c": '#include "flow/b.h"\n', "gateway/flow/b.h": "\n"}, "against the layers"),
    ("layers", {"CMakeLists.txt": CMAKE.replace("signing USES base", "signing USES base flow")}, "against the layers"),
    ("banned", {"fhir/a.c": BODY % "    return atoi(\"1\");\n"}, "atoi() is banned"),
    ("banned", {"fhir/a.c": BODY % "    goto out;\n"}, "goto is banned"),
    ("banned", {"gateway/api/a.c": BODY % "    free(0);\n"}, "arena"),
    ("banned", {"gateway/flow/a.c": BODY % "    printf(\"x\");\n"}, "printf() is banned"),
    ("lengths", {"fhir/a.c": BODY % ("    g();\n" * 60)}, "f() has 62 lines"),
    ("lengths", {"fhir/a.c": "int a;\n" * 801}, "801 lines"),
    ("words", {"docs/a.md": "TO" + "DO\n"}, "unfinished"),
    ("words", {"docs/a.md": "see /wo" + "rk/main\n"}, "one machine"),
    ("words", {"docs/a.md": "fixes (#" + "12)\n"}, "numbers of issues"),
    ("tables", {"gateway/base/err.def": ERR_ROW % ("Not_kebab", "字")}, "kebab-case"),
    ("tables", {"gateway/base/err.def": ERR_ROW % ("a", "no zh")}, "lacks its Chinese text"),
    ("tables", {"gateway/base/err.def": ERR_ROW % ("a", "字") + ERR_ROW.replace("E_A", "E_B") % ("a", "字")}, "stands already"),
    ("tables", {"gateway/http/routes.def": 'ROUTE(A, METHOD_GET, "/a", SURFACE_PLAIN, MEDIA_NONE, 0, 0, "")\n'}, "has no handler"),
    ("tables", {"gateway/cli/commands.def": 'COMMAND("a", "", f, "Does.", "claimgate a --gone", "")\n'}, "not in the options"),
    ("tests", {"tests/unit/base/a.c": '#include <criterion/criterion.h>\nTest(a, b)\n{\n    f();\n}\n'}, "asserts nothing"),
    ("tests", {"tests/fuzz/a.c": "/* room: base */\nint LLVMFuzzerTestOneInput;\n"}, "holds no file"),
    ("tests", {"tests/flow/test_a.py": "print(1)\n"}, "cannot fail"),
    ("docs", {"docs/README.md": "[x](gone.md)\n"}, "leads nowhere"),
    ("docs", {"docs/README.md": "`claimgate vanish now`\n"}, "no command"),
    ("docs", {"docs/README.md": "GET /v1/gone\n"}, "no route"),
    ("docs", {"docs/README.md": "\n", "fhir/a.h": "/* THRE" + "ATS S99 */\n"}, "not in the tree"),
    ("scripts", {".ci/run": "#!/bin/bash\nset -e\ndeploy/run-tests.sh\n"}, "begins with #!/bin/sh"),
]
# Nothing is wrong here, so nothing may be found.
CLEAN = [
    ("layers", {"gateway/flow/a.c": '#include "base/b.h"\n#include <stdio.h>\n', "gateway/base/b.h": "\n"}),
    ("banned", {"fhir/a.c": BODY % "    /* atoi(x) and goto */ g(\"strcpy(\");\n    x->free(y);\n"}),
    ("lengths", {"fhir/a.c": BODY % ("    g();\n" * 58)}),
    ("tests", {"tests/unit/base/a.c": '#include <criterion/criterion.h>\nstatic void\ncheck(void)\n{\n    cr_assert(1);\n}\n\nTest(a, b)\n{\n    check();\n}\n'}),
]
BASE = {
    "CMakeLists.txt": CMAKE, "gateway/base/err.def": ERR_ROW % ("a", "字"), "gateway/base/settings.def": "", "gateway/http/routes.def": "", "gateway/cli/commands.def": "",
    "gateway/base/log.def": 'LOG_EVENT(A, INFO, operation, "a")\n', "gateway/base/metrics.def": 'METRIC(A, COUNTER, "a", "", "A.")\n', "deploy/packages.txt": "gcc build\n",
    ".ci/run": "#!/bin/sh\nset -eu\ndeploy/run-tests.sh\n",
}


def run_check(tree, folder, check, files):
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in {**BASE, **files}.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    tree.looked += 1
    run = subprocess.run([sys.executable, tree.source / f"tests/lint/check_{check}.py", folder, folder + "/build"], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main():
    tree = Tree()
    with tempfile.TemporaryDirectory() as above:
        for check, files, words in CASES:
            code, said = run_check(tree, above + "/tree", check, files)
            if code != 1 or words not in said or "Traceback" in said:
                tree.find(f"tests/lint/check_{check}.py", 1, f"does not say “{words}” of {sorted(files)}: {code} {said[-600:]}")
        for check, files in CLEAN:
            code, said = run_check(tree, above + "/tree", check, files)
            if code != 0:
                tree.find(f"tests/lint/check_{check}.py", 1, f"finds something in a clean tree: {said[-600:]}")
    tree.done("the checks themselves")


main()
