"""Pages and the tree agree: each room has its page, links lead somewhere, and commands, routes, settings and outcome codes that a page shows exist.

What comments cite must be in the tree too: threats are rows of docs/threat-model.md, decisions stand by name in docs/decisions/README.md, rules of the domain and all
other citations are rows of docs/domain.md.
"""
import posixpath
import re

from lint import C_ROOMS, Tree, blank, rows

# A room may have its page under another name, or share one.
PAGES = {"main": "cli.md"}
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CITED = re.compile(r"\b(DECISIONS|DOMAIN|THREATS|LIMITS|OPERATIONS|STACK|TAIWAN|SCHEMA|CONSENT|CONSOLE|HOUSE|ANCHORS|RELIABILITY|SCENARIOS|ARCHITECTURE|ROADMAP)"
                   r"(?:\.md)?\b(?:[ ,]*(\"[^\"\n]*\"|§?\s?[A-Z]{0,2}-?\d[\d.]*))?")


def check_rooms(tree, index):
    folders = {m.group(1) for m in re.finditer(r"^room\((\w+)", tree.text("CMakeLists.txt"), re.M)}
    for room in sorted(folders):
        page = PAGES.get(room, room + ".md")
        if not tree.has("docs/" + page):
            tree.find("docs/README.md", 1, f"room {room} has no page docs/{page}")
    for path in tree.files(".md", under="docs"):
        name = path.relative_to("docs").as_posix()
        if name != "README.md" and f"({name})" not in index and not name.startswith("decisions/"):
            tree.find("docs/README.md", 1, f"docs/{name} is not in the index")


def check_links(tree, path, text):
    for number, line in enumerate(text.split("\n"), 1):
        for m in LINK.finditer(line):
            target = m.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            full = posixpath.normpath(posixpath.join(path.parent.as_posix(), target))
            if not tree.has(full):
                tree.find(path, number, f"the link to {target} leads nowhere")


def code_of(text):
    """Fenced blocks and inline code keep their place; everything else becomes blanks."""
    kept = [(m.start(), m.end()) for m in re.finditer(r"```.*?```|`[^`\n]+`", text, re.S)]
    out, at = [], 0
    for start, end in kept:
        out += [blank(text[at:start]), text[start:end]]
        at = end
    return "".join(out) + blank(text[at:])


def check_commands(tree, path, text, commands):
    for m in re.finditer(r"(?:^|`|[ /])claimgate ([a-z]+)(?: ([a-z]+))?(?=[ `\n])", code_of(text), re.M):
        noun, verb = m.groups()
        if noun not in commands or (verb and verb not in commands[noun] and "" not in commands[noun]):
            tree.find(path, text.count("\n", 0, m.start()) + 1, f"there is no command claimgate {noun} {verb or ''}")


def check_routes(tree, path, text, patterns):
    # A sign that is no path follows: $ of a shell, a verb, a query.
    for m in re.finditer(r"(?<![\w/.])(?:\$GATEWAY)?(/(?:v1|fhir/r4|oauth2|t)/[\w/{}$:.…-]*)", text):
        route = m.group(1).rstrip(".:")
        if not any(p.fullmatch(route) for p in patterns):
            tree.find(path, text.count("\n", 0, m.start()) + 1, f"there is no route {route}")


def check_settings(tree, path, text, settings):
    for m in re.finditer(r"--set ([a-z][a-z_.]*)=", text):
        if m.group(1) not in settings:
            tree.find(path, text.count("\n", 0, m.start()) + 1, f"there is no setting {m.group(1)}")


def route_pattern(route):
    return re.compile("".join(r"[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", route)))


def is_known(page, what, texts):
    if page == "THREATS":
        return re.search(rf"^\| {re.escape(what)} \|", texts["threat-model.md"], re.M)
    if page == "DECISIONS":
        return not what or f"“{what}”" in texts["decisions/README.md"]
    if page == "DOMAIN":
        return re.search(rf"^\| {re.escape(what)} \|", texts["domain.md"], re.M)
    number = what if re.fullmatch(r"[0-9.]+", what) else ""
    return re.search(rf"^\| {page}{' ' + re.escape(number) if number else ''} \|", texts["domain.md"], re.M)


def check_cited(tree):
    names = ("threat-model.md", "decisions/README.md", "domain.md")
    texts = {name: tree.text("docs/" + name) if tree.has("docs/" + name) else "" for name in names}
    for path in tree.files(".c", ".h", ".def", ".md", ".py", ".cmake"):
        if path.parts[0] not in C_ROOMS + ("tests", "docs", "deploy", "cmake") or path.name == "check_docs.py" or path.as_posix() == "docs/domain.md":
            continue
        for number, line in enumerate((tree.source / path).read_text(encoding="utf-8").split("\n"), 1):
            for m in CITED.finditer(line):
                what = (m.group(2) or "").strip('"§ ').rstrip(".")
                if not is_known(m.group(1), what, texts):
                    tree.find(path, number, f"cites {m.group(0).strip()}, which is not in the tree")


def main():
    tree = Tree()
    if not tree.has("docs/README.md"):
        tree.find("docs/README.md", 1, "there is no index")
        tree.done("docs")
    check_rooms(tree, tree.text("docs/README.md"))
    commands = {}
    for row in rows(tree.text("gateway/cli/commands.def"), "COMMAND"):
        commands.setdefault(row.text(0), set()).add(row.text(1))
    patterns = [route_pattern(row.text(2)) for row in rows(tree.text("gateway/http/routes.def"), "ROUTE")]
    settings = {row.text(1) for row in rows(tree.text("gateway/base/settings.def"), "SETTING")}
    for path in tree.files(".md"):
        text = tree.text(path)
        check_links(tree, path, text)
        check_commands(tree, path, text, commands)
        check_routes(tree, path, text, patterns)
        check_settings(tree, path, text, settings)
    check_cited(tree)
    tree.done("docs")


main()
