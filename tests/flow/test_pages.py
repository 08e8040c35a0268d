"""The pages that people see: Chinese with English marked as such, every field labelled, no script, nothing from elsewhere, a policy that lets in their own style sheet
and no other, readable contrast in light and dark."""
import base64
import hashlib
import html.parser
import re
import sys
import urllib.parse

import test_wallet
from support import FORM, WANG, Checks, Gateway, claimgate
from test_login import App, Browser, file_with, full_login

checks = Checks()
# What is shown as it is: the title names both, the rest is for machines and developers.
QUOTED = {"title", "style", "pre", "code", "dd", "details"}
VOID = {"meta", "input", "br", "link", "img"}
CONTRAST = (("ink", "back", 7), ("soft", "back", 7), ("bad", "back", 7), ("ink", "box", 7), ("on", "go", 4.5), ("go", "back", 4.5), ("line", "back", 3), ("ring", "back", 3))


class Page(html.parser.HTMLParser):
    """What stands in a page: its elements with their attributes, its text by language."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.words, self.spoken, self.style, self.unclosed = [], [], {}, "", "", 0
        self.feed(text)
        self.close()
        self.unclosed = len(self.open)

    def handle_starttag(self, tag, attributes):
        element = (tag, dict(attributes))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.unclosed = -1
            self.open = []

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "style":
            self.style += data
        elif self.open:
            lang = next((a["lang"] for _, a in reversed(self.open) if "lang" in a), None)
            self.words.setdefault(lang, []).append(data.strip())
            if lang == "zh-Hant-TW" and not QUOTED & {tag for tag, _ in self.open}:
                self.spoken += data

    def all(self, *tags):
        return [a for tag, a in self.elements if tag in tags]


def look(name, answer, status=200):
    """What holds for every page."""
    text = answer.body.decode()
    page = Page(text)
    checks.equal((answer.status, answer.headers["content-type"]), (status, "text/html; charset=utf-8"), f"{name}: is a page")
    checks.equal(page.unclosed, 0, f"{name}: every element is closed where it should be")
    checks.equal((page.elements[0], len(page.all("h1")), len(page.all("main")), len(page.all("title"))), (("html", {"lang": "zh-Hant-TW"}), 1, 1, 1), f"{name}: language, one heading, one main part, a title")
    checks.that(not page.all("script", "link", "img", "iframe", "object", "base"), f"{name}: nothing runs and nothing comes from elsewhere")
    checks.that(not any(key.startswith("on") or key == "style" for _, a in page.elements for key in a), f"{name}: no handlers, no styles on elements")
    policy = answer.headers.get("content-security-policy", "")
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    checks.that(policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; form-action ") and policy.endswith("frame-ancestors 'none'; base-uri 'none'"), f"{name}: its policy {policy}")
    ids = [a["id"] for _, a in page.elements if "id" in a]
    labelled = {a["for"] for a in page.all("label")}
    checks.equal(len(ids), len(set(ids)), f"{name}: ids are its own")
    fields = [a for a in page.all("input", "textarea", "select") if a.get("type") != "hidden"]
    checks.equal([a.get("id") for a in fields if a.get("id") not in labelled], [], f"{name}: every field has a label")
    checks.that(all(a["aria-describedby"] in ids for a in fields if "aria-describedby" in a), f"{name}: hints are there")
    checks.equal(re.findall(r"[A-Za-z]{4,}", re.sub(r"[\w.]+\.tw\b|HTTP", "", page.spoken, flags=re.ASCII)), [], f"{name}: English words are marked as such")
    checks.that("en" in page.words, f"{name}: it speaks English too")
    return page


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * c for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return sum(weight * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for weight, c in zip((0.2126, 0.7152, 0.0722), parts))


def contrast(page):
    """WCAG 2.1, 1.4.6 for text and 1.4.11 for what one must see to use it."""
    themes = [dict(re.findall(r"--(\w+):(#[0-9a-f]+)", block)) for block in re.findall(r":root\{(.*?)\}", page.style)]
    checks.equal(len(themes), 2, "light and dark")
    for theme, name in zip(themes, ("light", "dark")):
        for one, other, least in CONTRAST:
            low, high = sorted(luminance(theme[c]) for c in (one, other))
            ratio = (high + 0.05) / (low + 0.05)
            checks.that(ratio >= least, f"{name}: {one} on {other} is {ratio:.1f}:1, not {least}:1")


def login_pages(g):
    app, browser = App(g), Browser(g)
    browser.open(app, app.push().json()["request_uri"])
    page = look("login", browser.page())
    contrast(page)
    said = "".join(page.words["zh-Hant-TW"])
    for item in ("沙箱理賠應用程式股份有限公司", "查看您的案件進度與授權紀錄", g.base_url, "登入期限（臺灣時間）"):
        checks.that(item in said, f"who asks for what, and what is signed: {item}")
    wrong = look("a wrong signature", browser.call("POST", "/login", {"action": "certificate", "number": "A190130001", "signature": "nonsense"}), 422)
    checks.that({"class": "alert", "role": "alert"} in wrong.all("div") and "您尚未登入。" in "".join(wrong.words["zh-Hant-TW"]), "says what went wrong and what to do")
    checks.that("A190130001" not in str(wrong.elements) + str(wrong.words), "and repeats nothing that was typed")
    browser.call("POST", "/login", {"action": "wallet"})
    checks.that(any(a.get("class") == "go" for a in look("the wallet's link", browser.page()).all("a")), "the link to the wallet")
    look("a link that is over", Browser(g).open(app, "urn:ietf:params:oauth:request_uri:gone"), 400)
    look("no login under way", Browser(g).page(), 400)


def track(g, **form):
    return g.call("POST", "/t/session", urllib.parse.urlencode(form).encode(), {"Content-Type": FORM})


def track_pages(g):
    app = App(g)
    code = file_with(g, app, full_login(g, app)).json()["track_codes"][0]["code"]
    look("the form for a code", g.call("GET", "/t/"))
    wrong = track(g, code=code, birth_date="1900-01-01")
    look("a wrong birth date", wrong, 401)
    checks.equal(track(g, code="made-up", birth_date=WANG["birth_date"]).body, wrong.body, "a code that never was looks the same")
    steps = look("the steps", track(g, code=code, birth_date=WANG["birth_date"]))
    checks.that("已收到申請。" in steps.words["zh-Hant-TW"] and len(steps.all("time")) >= 2, "steps with their times")
    checks.that(not any(word in str(steps.words) for word in (WANG["name"], "人壽", "產物", code)), "no name, no insurer, no code")


def main():
    world, g = test_wallet.World(), Gateway()
    claimgate("init", g.dir, "--sandbox", "--listen", "127.0.0.1:0")
    test_wallet.set_up(g, world)
    with g:
        login_pages(g)
        track_pages(g)
        look("what a code means", g.call("GET", "/problems/signature-mismatch"))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
