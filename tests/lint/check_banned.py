"""Functions that this house does not call, with the places where each may stand and why."""
import re

from lint import C_ROOMS, Tree, code_only, line_of, without_comments

COMMANDS = ("gateway/main.c", "gateway/cli/", "tests/")
# words, places where they are allowed, why they are banned
BANNED = [
    ("strcpy strcat sprintf vsprintf gets stpcpy", (), "no bound: view, buf or snprintf"),
    ("strtok strtok_r sscanf", (), "view_cut and the text_ readers"),
    ("atoi atol atoll strtol strtoul strtoll strtoull", (), "text_to_i64"),
    ("strtod strtof strtold atof", ("gateway/base/",), "decimal; the number text of RFC 8785 in base needs it"),
    ("gmtime localtime mktime time ctime asctime strftime gmtime_r localtime_r", (), "instant and clock_now"),
    ("gettimeofday clock_gettime", ("gateway/base/", "tests/", "gateway/store/", "gateway/cli/", "gateway/duty/", "gateway/http/server.c"),
     "clock_now and clock_monotonic_us, so that time can be injected; a deadline of a timed wait is the exception"),
    ("rand srand random srandom rand_r drand48", (), "random_bytes"),
    ("system popen vfork", (), "no programs are started"),
    ("execl execlp execle execv execvp execvpe", ("gateway/cli/", "tests/"), "no programs are started; demo and bench start this one again"),
    ("alloca setjmp longjmp sigsetjmp siglongjmp", (), "no hidden stack or jumps"),
    ("signal", (), "signalfd in serve.c"),
    ("printf puts putchar vprintf", COMMANDS, "library code does not print"),
    ("json_loads json_loadb json_loadf json_load_file json_real_value json_number_value json_pack json_unpack json_dumps",
     ("gateway/base/json.c", "gateway/base/json_node.c", "gateway/cli/bench/bench_peers.c", "tests/"), "json_load of base/json.h: duplicates refused, decimals kept"),
    ("sleep usleep nanosleep", ("tests/stress/", "gateway/cli/", "tests/unit/store/crash.c"), "waits are timed waits on a condition"),
    ("exit _exit quick_exit", COMMANDS + ("gateway/flow/gateway.c",), "errors are returned; the handler of a failed sync in gateway.c must end the process"),
]
HEAP = re.compile(r"\b(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf)\s*\(")
# Rooms whose memory is the request's arena.
ARENA_ROOMS = ("gateway/http/", "gateway/api/", "gateway/flow/", "adapters/")
HEAP_ALLOWED = {
    "gateway/flow/gateway.c": "the gateway's standing parts, made at start and freed at stop",
    "gateway/flow/evidence/evidence.c": "the log's tree, kept for the life of the process",
    "gateway/flow/evidence/seal.c": "the opened key-encryption key",
    "gateway/flow/partner/registry.c": "a snapshot of the registry outlives the request that loads it; counted",
}
WORDS = {word: (places, why) for words, places, why in BANNED for word in words.split()}
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(sorted(WORDS)))
GOTO = re.compile(r"\bgoto\b")
VLA = re.compile(r"__builtin_alloca")


def check_file(tree, path, used):
    name = path.as_posix()
    text = tree.text(path)
    code = code_only(text)
    for m in CALL.finditer(code):
        places, why = WORDS[m.group(1)]
        if not name.startswith(places or ("\0",)):
            tree.find(path, line_of(text, m.start()), f"{m.group(1)}() is banned: {why}")
    for m in GOTO.finditer(code):
        tree.find(path, line_of(text, m.start()), "goto is banned: early return and AUTO()")
    for m in VLA.finditer(code):
        tree.find(path, line_of(text, m.start()), "memory of a size that is not known stands in an arena")
    if name.startswith(ARENA_ROOMS):
        for m in HEAP.finditer(code):
            if name in HEAP_ALLOWED:
                used.add(name)
                continue
            tree.find(path, line_of(text, m.start()), f"{m.group(1)}() in a room whose memory is the request's arena")


def main():
    tree = Tree()
    used = set()
    for path in tree.files(".c", ".h"):
        if path.parts[0] in C_ROOMS or path.parts[0] == "tests":
            check_file(tree, path, used)
    for name in sorted(set(HEAP_ALLOWED) - used):
        if tree.has(name):
            tree.find("tests/lint/check_banned.py", 1, f"the exception for {name} is not needed any more")
    tree.done("banned calls")


main()
