"""The .def tables: names once, codes in their form, both languages there, and every outcome used."""
import re

from lint import C_ROOMS, Tree, code_only, has_han, rows, without_comments

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DOTTED = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
# http://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = set("""invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported duplicate multiple-matches
not-found deleted too-long code-invalid extension too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational""".split())
SCOPE = re.compile(r"(|[a-z]+/[A-Za-z]+\.[cruds]+|[a-z]+(-[a-z]+)*:(read|write))")


class Unique:
    def __init__(self, tree, path):
        self.tree, self.path, self.seen = tree, path, {}

    def add(self, what, key, line):
        if (what, key) in self.seen:
            self.tree.find(self.path, line, f"{what} {key} stands already in line {self.seen[what, key]}")
        self.seen[what, key] = line


def both_languages(tree, path, row, en, zh, what):
    if not row.text(en).strip():
        tree.find(path, row.line, f"{what} {row.args[0]} lacks its English text")
    if not has_han(row.text(zh)):
        tree.find(path, row.line, f"{what} {row.args[0]} lacks its Chinese text")


def check_errors(tree):
    path = "gateway/base/err.def"
    unique = Unique(tree, path)
    table = rows(tree.text(path), "ERR")
    for row in table:
        name, code, status = row.args[0], row.text(1), int(row.args[2])
        unique.add("name", name, row.line)
        unique.add("code", code, row.line)
        if not KEBAB.fullmatch(code):
            tree.find(path, row.line, f"code {code} is not in kebab-case")
        if status != 200 and not 400 <= status < 600:
            tree.find(path, row.line, f"{name}: status {status} is neither a refusal nor 200 (a finding)")
        if row.text(3) not in ISSUE_TYPES:
            tree.find(path, row.line, f"{name}: {row.text(3)} is no FHIR issue type")
        if row.args[4] not in ("true", "false"):
            tree.find(path, row.line, f"{name}: retry is true or false")
        both_languages(tree, path, row, 5, 6, "outcome")
        both_languages(tree, path, row, 7, 8, "remedy of")
    return {row.args[0]: row.line for row in table}


def check_outcomes_used(tree, names):
    used = set()
    for p in tree.files(".c", ".h", ".def"):
        if p.parts[0] in C_ROOMS and p.as_posix() != "gateway/base/err.def":
            used |= set(re.findall(r"\bE_[A-Z0-9_]+\b", code_only((tree.source / p).read_text(encoding="utf-8"))))
    for name, line in names.items():
        if name not in used:
            tree.warn("gateway/base/err.def", line, f"{name} is given by no code")


def check_settings(tree):
    path = "gateway/base/settings.def"
    unique = Unique(tree, path)
    for row in rows(tree.text(path), "SETTING"):
        unique.add("setting", row.text(1), row.line)
        if not DOTTED.fullmatch(row.text(1)):
            tree.find(path, row.line, f"setting {row.text(1)} is not in dotted form")
        both_languages(tree, path, row, 7, 8, "setting")


def check_routes(tree):
    path = "gateway/http/routes.def"
    unique = Unique(tree, path)
    handlers = "".join(code_only((tree.source / p).read_text(encoding="utf-8")) for p in tree.files(".c", under="gateway/api"))
    for row in rows(tree.text(path), "ROUTE"):
        name, method, pattern = row.args[0], row.args[1], row.text(2)
        unique.add("route", name, row.line)
        unique.add("operation", method + " " + re.sub(r"\{\w+\}", "{}", pattern), row.line)
        if not pattern.startswith("/"):
            tree.find(path, row.line, f"{name}: the path begins with a slash")
        if not SCOPE.fullmatch(row.text(7)):
            tree.find(path, row.line, f"{name}: scope {row.text(7)} has another form")
        if row.args[1] in ("METHOD_POST", "METHOD_PUT") and (row.args[4] == "MEDIA_NONE" or int(row.args[5]) == 0):
            tree.find(path, row.line, f"{name}: a body needs media types and a ceiling")
        if not re.search(rf"^api_{name}\(", handlers, re.M):
            tree.find(path, row.line, f"{name} has no handler api_{name} in gateway/api")


def check_commands(tree):
    path = "gateway/cli/commands.def"
    unique = Unique(tree, path)
    for row in rows(tree.text(path), "COMMAND"):
        command = f"{row.text(0)} {row.text(1)}".strip()
        unique.add("command", command, row.line)
        if not row.text(3).endswith("."):
            tree.find(path, row.line, f"{command}: the summary is a sentence")
        examples = row.text(4).split("\n")
        for example in examples:
            if not example.startswith("claimgate " + command):
                tree.find(path, row.line, f"{command}: “{example}” is no example of it")
        options = set(re.findall(r"^--[a-z][a-z-]*", row.text(5), re.M)) | {"--json", "--quiet", "--lang", "--set", "--config", "--help"}
        for flag in re.findall(r"--[a-z][a-z-]*", " ".join(examples)):
            if flag not in options:
                tree.find(path, row.line, f"{command}: {flag} stands in an example and not in the options")


def check_rest(tree):
    for p in tree.files(".def"):
        text = without_comments(tree.text(p))
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                tree.find(p, number, "tab")
    path = "gateway/flow/case/states.def"
    if tree.has(path):
        unique = Unique(tree, path)
        for row in rows(tree.text(path), "STATE"):
            unique.add("state", row.args[0], row.line)
            both_languages(tree, path, row, 3, 4, "state")
            both_languages(tree, path, row, 6, 5, "sentence of")
    for path, macro, what in (("gateway/base/log.def", "LOG_EVENT", "log event"), ("gateway/base/metrics.def", "METRIC", "metric")):
        unique = Unique(tree, path)
        table = rows(tree.text(path), macro)
        if not table:
            tree.find(path, 1, f"no row was read from the table of {what}s")
        for row in table:
            unique.add(what, row.args[0], row.line)


def main():
    tree = Tree()
    names = check_errors(tree)
    check_outcomes_used(tree, names)
    check_settings(tree)
    check_routes(tree)
    check_commands(tree)
    check_rest(tree)
    tree.done("tables")


main()
