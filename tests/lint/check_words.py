"""Words that do not belong in the tree: unfinished work, paths of somebody's machine, and anything about how or where the work was done.

The words stand here in two halves, so that this file passes its own check.
"""
import re

from lint import Tree


def word(*parts, flags=0):
    return re.compile("".join(parts), flags)


I = re.IGNORECASE
UNFINISHED = "unfinished work has no place in the tree"
MACHINE = "a path of one machine"
ABOUT_WORK = "the project speaks only of itself"
WORDS = [
    (word(r"\bTO", r"DO\b"), UNFINISHED),
    (word(r"\bFIX", r"ME\b"), UNFINISHED),
    (word(r"\bXX", r"X\b"), UNFINISHED),
    (word(r"\bst", r"ub(s|bed)?\b", flags=I), UNFINISHED),
    (word(r"\bplace", r"holders?\b", flags=I), UNFINISHED),
    (word(r"not (yet )?imple", r"mented", flags=I), UNFINISHED),
    (word(r"(?<![\w.])/wo", r"rk/"), MACHINE),
    (word(r"(?<![\w.])/ro", r"ot/"), MACHINE),
    (word(r"(?<![\w.])/ho", r"me/"), MACHINE),
    (word(r"/tmp/", r"b_\w+"), MACHINE),
    (word(r"\b(this|the|another|next|previous|earlier) (work )?ses", r"sion (will|did|has|wrote|left|should)", flags=I), ABOUT_WORK),
    (word(r"\b(AI|coding|sub-?|helper) ?-?ag", r"ents?\b", flags=I), ABOUT_WORK),
    (word(r"\b(Clau", r"de|Anthro", r"pic|Chat", r"GPT|Copi", r"lot)\b", flags=I), ABOUT_WORK),
    (word(r"\b(my|our|your) br", r"ief\b", flags=I), ABOUT_WORK),
    (word(r"\bother hel", r"pers?\b", flags=I), ABOUT_WORK),
    (word(r"\b(issue|ticket|pull request|PR|bug) ?", r"#?\d+\b"), "numbers of issues mean nothing to a reader of the tree"),
    (word(r"\(#", r"\d+\)"), "numbers of issues mean nothing to a reader of the tree"),
    (word(r"registry\.npm", r"js|pypi\.", r"org|proxy\.gol", r"ang"), "registry hosts are the package manager's business"),
]
BINARY = (".png", ".jpg", ".ico", ".woff2", ".der", ".bin", ".pem", ".p7s", ".gz", ".zst")


def main():
    tree = Tree()
    for path in tree.files():
        if path.suffix in BINARY or path.name == "LICENSE" or "corpus" in path.parts:
            continue
        try:
            text = tree.text(path)
        except UnicodeDecodeError:
            tree.find(path, 1, "neither UTF-8 text nor a known binary kind")
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, why in WORDS:
                m = pattern.search(line)
                if m:
                    tree.find(path, number, f"“{m.group(0)}”: {why}")
    tree.done("words")


main()
