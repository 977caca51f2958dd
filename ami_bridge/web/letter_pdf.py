"""The letter as a PDF, made in memory.

The fonts that every PDF reader has write Western European letters only. So DejaVu Sans is put into the file, where this
machine has it (Debian: ``fonts-dejavu-core``). What cannot be written is refused, not left out: no name is to be maimed.
"""

from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.errors import FPDFUnicodeEncodingException
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.web.letter import Facts, Letter, Section
from ami_bridge.web.words import Words

FONTS = Path("/usr/share/fonts/truetype/dejavu")
PLAIN, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
OURS, STANDARD = "letter", "helvetica"
MARGIN, LINE, NAMES = 20, 5.5, 50
"""Millimetres: around the page, a line, and the column of names."""

PRINT = "Print the letter from the browser instead: it has more fonts."


class _Page(FPDF):
    """A page of A4 with its number below."""

    def __init__(self, words: Words) -> None:
        super().__init__(format="A4")
        self._t = words

    def footer(self) -> None:
        """Write the page's number."""
        self.set_y(-15)
        self.set_font(size=8)
        self.cell(0, 10, self._t("letter.page", number=self.page_no()), align="C")


def pdf(letter: Letter, now: datetime, fonts: Path = FONTS) -> bytes:
    """Return the letter as PDF; ConfigurationError when the fonts of this machine cannot write all of it."""
    page = _Page(Words(letter.language))
    page.set_margin(MARGIN)
    page.set_auto_page_break(True, MARGIN)
    page.set_lang(letter.language.value)
    page.set_title(letter.title)
    page.viewer_preferences = ViewerPreferences(display_doc_title=True)
    page.set_creation_date(now)
    try:
        family = _font(page, fonts, letter)
        page.add_page()
        _write(page, family, letter)
        return bytes(page.output())
    except FPDFUnicodeEncodingException:
        raise ConfigurationError("a name or text of this letter cannot be written with the fonts of this machine",
                                 f"Install fonts-dejavu-core. {PRINT}", mistake="letter-fonts") from None
    finally:
        for font in page.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


def _font(page: FPDF, fonts: Path, letter: Letter) -> str:
    if not all((fonts / name).is_file() for name in (PLAIN, BOLD)):
        page.set_font(STANDARD, size=10)
        return STANDARD
    page.add_font(OURS, "", fonts / PLAIN)
    page.add_font(OURS, "B", fonts / BOLD)
    page.set_font(OURS, size=10)
    if not all(ord(sign) in page.current_font.cmap for sign in _signs(letter)):  # type: ignore[union-attr]
        raise ConfigurationError("a name or text of this letter has letters that DejaVu Sans does not have", PRINT,
                                 mistake="letter-fonts")
    return OURS


def _signs(letter: Letter) -> set[str]:
    """Return every letter and sign of the letter."""
    sections = (*letter.sections, *letter.appendices)
    facts = [letter.head, *(item for section in sections for item in section.items)]
    said = [letter.title, *(text for fact in facts for pair in fact for text in pair)]
    said += [text for section in sections for text in (section.heading, *section.paragraphs)]
    return set("".join(said)) - {"\n"}


def _write(page: FPDF, family: str, letter: Letter) -> None:
    _facts(page, family, letter.head)
    page.ln(LINE)
    _line(page, family, letter.title, bold=True, size=14)
    for section in letter.sections:
        _section(page, family, section)
    for section in letter.appendices:
        page.add_page()
        _section(page, family, section)


def _section(page: FPDF, family: str, section: Section) -> None:
    page.ln(LINE / 2)
    if section.heading:
        page.start_section(section.heading)
        _line(page, family, section.heading, bold=True, size=11)
    for paragraph in section.paragraphs:
        _line(page, family, paragraph)
    for item in section.items:
        _facts(page, family, item)
        page.ln(LINE / 2)


def _facts(page: FPDF, family: str, facts: Facts) -> None:
    for name, value in facts:
        page.set_font(family, "B", 10)
        page.cell(NAMES, LINE, name)
        page.set_font(family, "", 10)
        page.multi_cell(0, LINE, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _line(page: FPDF, family: str, text: str, *, bold: bool = False, size: int = 10) -> None:
    page.set_font(family, "B" if bold else "", size)
    page.multi_cell(0, LINE, text or " ", align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
