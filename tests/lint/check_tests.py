"""A test that asserts nothing cannot fail: every Criterion test, every Python test and every stress program must be able to say no.

Also: a fuzz target names its room in its first line and has a corpus to be replayed over.
"""
import re

from lint import Tree, code_only, functions

ASSERTION = re.compile(r"\b(cr_assert\w*|cr_expect\w*|cr_fail|assert|abort)\s*\(|\bcr_\w+\(|ParameterizedTestParameters")
# What these assert is that the process lives on.
SURVIVALS = {("tests/unit/base/log.c", "does_not_stop_on_a_closed_descriptor")}


def helpers_that_assert(text):
    """Functions and macros of a file that assert, by themselves or through each other."""
    code = code_only(text)
    lines = code.split("\n")
    bodies = {name: "\n".join(lines[first:last]) for name, _, first, last in functions(text)}
    for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(?(?:[^\n]*\\\n)*[^\n]*", code, re.M):
        bodies[m.group(1)] = m.group(0)
    found = {name for name, body in bodies.items() if ASSERTION.search(body)}
    while True:
        more = {name for name, body in bodies.items() if name not in found and any(re.search(rf"\b{f}\b", body) for f in found)}
        if not more:
            return found
        found |= more


def check_criterion(tree, path, kits):
    text = tree.text(path)
    helpers = kits | helpers_that_assert(text)
    lines = code_only(text).split("\n")
    tests = [(first, last, head) for name, head, first, last in functions(text) if name in ("Test", "ParameterizedTest", "Theory")]
    if not tests:
        tree.find(path, 1, "has no test")
    for first, last, head in tests:
        body = "\n".join(lines[first:last])
        dies = re.search(r"\.(signal|exit_code)\s*=", lines[head - 1])
        survives = any(path.as_posix() == p and name in lines[head - 1] for p, name in SURVIVALS)
        if not dies and not survives and not ASSERTION.search(body) and not any(re.search(rf"\b{h}\b", body) for h in helpers):
            tree.find(path, head, "this test asserts nothing")
        if re.search(r"\b(sleep|usleep)\s*\(", body):
            tree.find(path, head, "a test does not sleep; time is injected")


def check_python(tree, path):
    text = tree.text(path)
    if not re.search(r"\bassert\b|sys\.exit\((?!0\)|77\))|self\.assert|raise |fail\(", text):
        tree.find(path, 1, "this test cannot fail")


def check_fuzz(tree, path):
    text = tree.text(path)
    if path.name == "replay.c":
        return
    if not re.search(r"room: [a-z]+", text.split("\n", 1)[0]):
        tree.find(path, 1, "the first line names the room: /* room: base */")
    if "LLVMFuzzerTestOneInput" not in text:
        tree.find(path, 1, "no LLVMFuzzerTestOneInput")
    if not ASSERTION.search(code_only(text)):
        tree.warn(path, 1, "states no property besides not crashing")
    corpus = tree.source / "tests/fuzz/corpus" / path.stem
    if not corpus.is_dir() or not any(corpus.iterdir()):
        tree.find(path, 1, f"tests/fuzz/corpus/{path.stem} holds no file")


def main():
    tree = Tree()
    shared = set()
    for path in tree.files(".h", under="tests"):
        shared |= helpers_that_assert(tree.text(path))
    for path in tree.files(".c", under="tests/unit"):
        # A file that includes no Criterion is a helper of the programs beside it.
        if "criterion/criterion.h" in (tree.source / path).read_text(encoding="utf-8"):
            check_criterion(tree, path, shared)
    for path in tree.files(".c", under="tests/stress"):
        if not re.search(r"\b(abort|assert|exit)\s*\(|return\s+(?!0;)", code_only(tree.text(path))):
            tree.find(path, 1, "this program cannot fail")
        if not re.search(r"room: [a-z]+", tree.text(path).split("\n", 1)[0]):
            tree.find(path, 1, "the first line names the room: /* room: store */")
    for path in tree.files(".c", under="tests/fuzz"):
        check_fuzz(tree, path)
    for path in tree.files(".py", under="tests"):
        if path.name.startswith("test_"):
            check_python(tree, path)
    tree.done("tests")


main()
