"""Files of at most 800 lines, functions of at most 60; deep nesting is told as a warning."""
import re

from lint import C_ROOMS, Tree, code_only, functions

FILE_LINES = 800
FUNCTION_LINES = 60
NESTING = 3
CONTROL = re.compile(r"( +)(?:\} )?(?:if|for|while|switch|do|else)\b")


def check_nesting(tree, path, lines, first, last):
    deepest, at = 0, first
    for number in range(first, last):
        m = CONTROL.match(lines[number])
        if m and len(m.group(1)) % 4 == 0 and len(m.group(1)) // 4 > deepest:
            deepest, at = len(m.group(1)) // 4, number + 1
    if deepest > NESTING:
        tree.warn(path, at, f"nested {deepest} deep, {NESTING} is the wish")


def main():
    tree = Tree()
    for path in tree.files(".c", ".h", ".py", ".def", ".cmake"):
        if path.parts[0] not in C_ROOMS and path.parts[0] != "tests":
            continue
        text = tree.text(path)
        lines = text.split("\n")
        # Tables may be as long as what they list.
        if len(lines) - 1 > FILE_LINES and path.suffix != ".def":
            tree.find(path, FILE_LINES + 1, f"file has {len(lines) - 1} lines, at most {FILE_LINES}")
        if path.suffix not in (".c", ".h"):
            continue
        code = code_only(text).split("\n")
        for name, head, first, last in functions(text):
            if last - first + 1 > FUNCTION_LINES:
                tree.find(path, head, f"{name}() has {last - first + 1} lines, at most {FUNCTION_LINES}")
            check_nesting(tree, path, code, first, last)
    tree.done("lengths")


main()
