"""A message as a letter: one sheet for a window envelope, as a page to print anywhere and as PDF/UA."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from notifications.channels.envelope import Envelope
from notifications.errors import NotificationError, SendNever
from notifications.formats import ROME, filters
from notifications.payment_slip import PaymentSlip

LAYOUT = Path(__file__).parent / "letter_layout"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
SIZES = (11.0, 10.0)  # points: the first at which everything stands on one page; smaller is not for old eyes
WINDOW_LINES, WINDOW_LETTERS = 5, 40  # what an envelope's window shows
VARIANT = "pdf/ua-1"
INSTALL = "apt-get install libpango-1.0-0 libpangoft2-1.0-0"
LONG_TABLE = 14  # rows; a longer one stands in two columns: the calendar of a plan of two years
_MAIN = re.compile(r"<main\b[^>]*>(.*)</main>", re.DOTALL)
_POSTCODE = re.compile(r"\b\d{5}\b")
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)


class PangoMissing(NotificationError):
    """The library that sets type is not on this machine: no PDF can be made, pages for a browser can."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the name, further lines of the address (with the telephone), and the town before the date.

    `town`: postcode and town under addresses that have no postcode of their own: the landlord's files give the street.
    """

    name: str
    lines: tuple[str, ...] = ()
    place: str = ""
    town: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that is ready to be printed: a whole HTML page that needs nothing from outside. `at`: its moment."""

    message_id: str
    language: str
    address: tuple[str, ...]
    html: str
    at: datetime


def write(envelope: Envelope, head: Letterhead, *, reference: str) -> tuple[Letter, bool]:
    """The letter of an envelope whose `to` is a postal address, one line a line; and whether it was seen to fit one page.

    `reference`: digits by which the office knows the sheet again when it comes back. Without Pango nobody can count
    pages, so that the second value is False. Raises `SendNever` for an address that no window shows whole, and for a
    text that does not fit on one page.
    """
    address = checked_address(envelope.to, head.town)
    html, language = "", envelope.rendered.language
    try:
        for points in SIZES:
            html = _page(envelope, head, address, reference, points)
            if len(_rendered(html).pages) == 1:
                return Letter(envelope.message_id, language, address, html, envelope.at), True
    except PangoMissing:
        return Letter(envelope.message_id, language, address, html, envelope.at), False
    raise SendNever(
        "the letter does not fit on one page: shorten what it says, or hand it over in person and record that"
    )


def checked_address(address: str, town: str = "") -> tuple[str, ...]:
    """The lines of a postal address: a name and at least one more; `SendNever` otherwise. The sentence names no line."""
    lines = tuple(" ".join(line.split()) for line in address.splitlines() if line.strip())
    if town and len(lines) > 1 and not any(_POSTCODE.search(line) for line in lines[1:]):
        lines += (town,)
    if len(lines) < 2 or not all(line.isprintable() for line in lines):
        raise SendNever("the postal address is not complete: a name, a street and a town, each on a line")
    if sum(-(-len(line) // WINDOW_LETTERS) for line in lines) > WINDOW_LINES:
        raise SendNever("the postal address is too long for the window of an envelope: shorten it to five lines")
    return lines


def pdf(pages: Sequence[str], title: str) -> bytes:
    """One tagged PDF of letters' HTML pages, in their order; `title` only counts for several. `PangoMissing` without Pango.

    A single letter keeps its own title and language; several together are an Italian document of ours.
    """
    documents = [_rendered(page) for page in pages]
    first = documents[0]
    if len(documents) > 1:
        first = first.copy([page for document in documents for page in document.pages])
        first.metadata.title, first.metadata.lang = title, "it"
    return bytes(first.write_pdf(pdf_variant=VARIANT))


def table_pdf(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], language: str = "it") -> bytes:
    """A list of any length as a tagged PDF: for whoever carries the letters to the post."""
    html = environment().get_template("posting.html").render(title=title, head=head, rows=rows, language=language)
    return bytes(_rendered(html).write_pdf(pdf_variant=VARIANT))


def pango_there() -> bool:
    """Whether PDFs can be made on this machine."""
    try:
        _weasyprint()
    except PangoMissing:
        return False
    return True


def main_of(html: str) -> Markup:
    """What a mail's html says, without the frame of the mail; long tables in two columns."""
    found = _MAIN.search(html)
    # Our own templates wrote it, with everything from outside escaped.
    return Markup(_TABLE.sub(_in_columns, found[1] if found else html))  # noqa: S704


def _in_columns(table: re.Match[str]) -> str:
    return f'<div class="columns">{table[0]}</div>' if table[0].count("<tr") > LONG_TABLE else table[0]


def long_day(day: date) -> str:
    """23 novembre 2026: letters bear Italian dates, whatever language they are in."""
    from babel.dates import format_date

    return format_date(day, "long", locale="it_IT")


@cache
def environment() -> Environment:
    """The templates of the layout: everything escaped, nothing undefined, amounts in Italian form."""
    made = Environment(
        loader=FileSystemLoader(LAYOUT),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters("it"))
    return made


def _page(envelope: Envelope, head: Letterhead, address: tuple[str, ...], reference: str, points: float) -> str:
    assert reference.isdigit(), "it stands in the style sheet"
    return (
        environment()
        .get_template("letter.html")
        .render(
            language=envelope.rendered.language,
            rtl=envelope.rendered.language in RIGHT_TO_LEFT,
            subject=envelope.rendered.subject,
            body=main_of(envelope.rendered.html),
            head=head,
            address=address,
            day=long_day(envelope.at.astimezone(ROME).date()),
            css=Markup(_css()),  # noqa: S704  # a file of ours
            points=points,
            reference=reference,
            slips=[(slip, _qr(slip), long_day(slip.due_on)) for slip in envelope.slips],
        )
    )


def _qr(slip: PaymentSlip) -> str:
    """The code as a picture inside the page; four modules of white around it, as readers want."""
    import segno

    return segno.make_qr(slip.qr_text, error="m").svg_data_uri(border=4, scale=4, encode_minimal=False)


@cache
def _css() -> str:
    return (LAYOUT / "letter.css").read_text(encoding="utf-8")


def _rendered(html: str) -> Any:
    weasyprint, fetcher = _weasyprint()
    return weasyprint.HTML(string=html, url_fetcher=fetcher).render(pdf_variant=VARIANT)


@cache
def _weasyprint() -> Any:
    """The library with a fetcher that opens neither network nor files: pictures come inside the page, or not at all."""
    try:
        # Imported late: half a second, and it fails where Pango is not installed.
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise PangoMissing(f"Pango is not installed on this machine, so no PDF can be made: {INSTALL}") from error
    return weasyprint, URLFetcher(allowed_protocols=("data",), allow_redirects=False)
