"""The documentation builds as a site, strictly; the site asks nobody else for anything."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"
LOADING = {("link", "href"), ("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("object", "data"),
           ("source", "src"), ("video", "src"), ("audio", "src"), ("embed", "src"), ("form", "action")}


class Reader(HTMLParser):
    """What a page loads, and the text of its paragraphs."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.paragraphs: list[str] = []
        self._inside = False
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if (tag, name) in LOADING or name == "style"]
        if tag == "p":
            self.paragraphs.append("")
        self._inside = tag == "p" or (self._inside and tag not in ("pre", "table", "ul", "ol"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.paragraphs[-1] += data


def build(configuration: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "properdocs", "build", "--strict", "-f", str(configuration), "-d", str(target)],
                          capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = build(SITE / "properdocs.yml", target)
    assert done.returncode == 0, done.stderr
    return target


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md") if SITE not in path.parents}
    assert [page for page in pages if not (site / page.with_suffix(".html")).is_file()] == []
    assert (site / "index.html").is_file() and (site / "dialplan" / "extensions_recording.conf").is_file()


def test_the_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        for address in Reader(page).loads:
            assert not re.match(r"\s*(?:\w+:)?//|.*url\(", address), (page.name, address)
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(|@import|@font-face", style.read_text("utf-8")), style.name
    for script in (site / "search").glob("*.js"):
        assert not re.search(r"""["'](?:https?:)?//""", script.read_text("utf-8")), script.name
    assert not [path for path in site.rglob("*") if path.suffix in (".woff", ".woff2", ".ttf", ".otf", ".eot")]


def test_every_list_is_a_list(site: Path) -> None:
    """What one reader of Markdown takes for a list another takes for a paragraph: here neither may."""
    for page in site.rglob("*.html"):
        for paragraph in Reader(page).paragraphs:
            assert not re.search(r"^(?:[-*] |\d+\. |\|)", paragraph, re.MULTILINE), (page.name, paragraph)


@pytest.mark.parametrize(("before", "after"), [("(tutorial.md)", "(tutorials.md)"), ("(faults.md)", "(faults.md#nowhere)")])
def test_a_broken_link_ends_the_build(tmp_path: Path, before: str, after: str) -> None:
    copy = tmp_path / "docs"
    subprocess.run(["cp", "-r", str(ROOT / "docs"), str(ROOT / "dialplan"), str(ROOT / "CHANGELOG.md"), str(ROOT / "LICENSE"),
                    str(tmp_path)], check=True)
    page = copy / "index.md"
    assert before in page.read_text("utf-8")
    page.write_text(page.read_text("utf-8").replace(before, after), "utf-8")
    done = build(copy / "site" / "properdocs.yml", tmp_path / "site")
    assert done.returncode != 0 and after.strip("()").split("#")[-1] in done.stderr
