"""Debian's Chromium, driven by Playwright: what somebody at a desk sees, and what a machine finds wrong with it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from ami_bridge.core.accounts import Language
from ami_bridge.web.visit import COOKIE
from ami_bridge.web.words import Words
from tests.pbx.rootfs import ProvisionError, install_host_tools
from tests.web.console import Console

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file. (Not of a worker: its event loop would be in the way of other tests' own.)"""
    if not shutil.which("chromium"):
        try:
            install_host_tools()
        except ProvisionError as failed:
            pytest.skip(f"there is no chromium here, nor can apt-get install it: {failed}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page of one person. ``step`` is to be told at each page that somebody comes to see: there it is looked at.

    ``complaints``: what the browser had to say since the last step (the policy was broken, something was not there).
    """

    page: Page
    console: Console
    folder: Path
    words: Words
    complaints: list[str] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)

    def open(self, path: str) -> None:
        """Go where the address bar says."""
        self.page.goto(self.console.url + path)

    def press(self, key: str, **values: object) -> None:
        """Press the button, or follow the link, that says what the words have for a key, as somebody who reads it would."""
        said = self.words(key, **values)
        self.page.get_by_role("button", name=said, exact=True).or_(self.page.get_by_role("link", name=said, exact=True)).first.click()

    def fill(self, **fields: str) -> None:
        """Fill in fields by their names in the form: text, days, and choices."""
        for name, value in fields.items():
            wanted = self.page.locator(f'main [name="{name}"]').first
            if wanted.evaluate("it => it.tagName") == "SELECT":
                wanted.select_option(value)
            elif wanted.get_attribute("type") in ("checkbox", "radio"):
                self.page.locator(f'main [name="{name}"][value="{value}"]').check()
            else:
                wanted.fill(value)

    @property
    def path(self) -> str:
        """Where it is, without the query."""
        return urlsplit(self.page.url).path

    @property
    def text(self) -> str:
        """What the page says between header and footer."""
        return self.page.locator("main").inner_text()

    def step(self, name: str, *, status: int = 200) -> None:
        """Look at a page: nothing wrong in it, readable by all, no wider than a phone; and keep two pictures of it.

        ``status``: what the browser may complain of, where the page is a refusal.
        """
        self.page.wait_for_load_state("load")
        self.steps += 1
        picture = self.folder / f"{self.steps:02}-{name}.png"
        self.page.screenshot(path=picture, full_page=True)
        assert "\n".join(self._complained(status)) == ""
        assert "\n".join(hurdles(self.page)) == ""
        self.page.emulate_media(color_scheme="dark")
        assert "\n".join(hurdles(self.page, "color-contrast")) == ""
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(PHONE)
        self.page.screenshot(path=picture.with_name(f"{picture.stem}-phone.png"), full_page=True)
        assert too_wide(self.page) == []
        self.page.set_viewport_size(DESK)

    def play(self) -> float:
        """Begin to play the first recording; return at which second it is once it is heard."""
        sound = self.page.locator("audio").first
        sound.evaluate("it => it.play()")
        self.page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")
        return sound.evaluate("it => it.currentTime")

    def fetched(self, path: str) -> bytes:
        """Return what this browser is given at a path."""
        answer = self.page.context.request.get(self.console.url + path)
        assert answer.ok, answer.status
        return answer.body()

    def _complained(self, status: int) -> list[str]:
        found, self.complaints = self.complaints, []
        return [said for said in found if status == 200 or f" {status} " not in f"{said} "]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.request.method} {urlsplit(response.url).path}: {response.status}")


def hurdles(page: Page, *rules: str) -> list[str]:
    """What axe finds against WCAG 2.1 A and AA. It is put in by the debugger, which no policy of the page concerns."""
    found = Axe().run(page, options={"runOnly": list(rules or RULES), "resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {one['help']}: {node['html']} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]]


def too_wide(page: Page) -> list[str]:
    """What sticks out to the right, if the page as a whole can be moved sideways."""
    return page.evaluate("""() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
        [...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > innerWidth)
        .map(it => `${it.tagName} ${it.className} ${Math.round(it.getBoundingClientRect().right)}`)""")


@dataclass
class Desk:
    """Where people sit down: ``sit`` gives each a browser of their own."""

    chromium: Browser
    folder: Path

    @contextmanager
    def stranger(self, console: Console, name: str = "stranger", language: Language = Language.ENGLISH) -> Iterator[Tab]:
        """A browser in which nobody has signed in."""
        context = self.chromium.new_context(ignore_https_errors=True, viewport=DESK, locale=language.value)
        try:
            yield self._tab(context, console, name, language)
        finally:
            context.close()

    @contextmanager
    def sit(self, console: Console, login: str, language: Language = Language.ENGLISH) -> Iterator[Tab]:
        """A browser in which somebody has signed in, without the form: a code is good only once."""
        token, session = console.house.sessions.begin(console.account(login), bearer=False)
        session.language = language
        with self.stranger(console, login, language) as tab:
            tab.page.context.add_cookies([{"name": COOKIE, "value": token, "url": console.url, "secure": True, "httpOnly": True,
                                           "sameSite": "Strict"}])
            yield tab

    def _tab(self, context: BrowserContext, console: Console, name: str, language: Language) -> Tab:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return Tab(context.new_page(), console, folder, Words(language))


@pytest.fixture
def desk(chromium: Browser, request: pytest.FixtureRequest) -> Desk:
    """Pictures of its steps are in build/screenshots/<test>/<person>."""
    folder = SCREENSHOTS / re.sub(r"\W+", "-", request.node.name).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    return Desk(chromium, folder)
