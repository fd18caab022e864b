"""A message on paper: one tagged page in its language, the address in the window, the amount and the code readable."""

import io
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
import zxingcpp
from pypdf.generic import ContentStream

from notifications import letters
from notifications.channels import Envelope
from notifications.channels.letter import LetterChannel
from notifications.errors import BadData, SendNever
from notifications.letters import Letter, Letterhead
from notifications.messages.instalment_due.model import InstalmentDue
from notifications.messages.plan_signed.model import PlanSigned
from notifications.payment_slip import PaymentSlip, qr_text
from notifications.registry import MESSAGES
from notifications.rendering import Rendered, render

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
HEAD = Letterhead("Sportello Un ponte sul blu", ("via di Esempio 1, 25100 Brescia", "tel. 030 0000000"), "Brescia")
ADDRESS = "Maria Rossi\nvia Cimabue 16\nscala A, interno 4\n25100 Brescia BS"
BODY = "12345678901"
MILLIMETRE = 72 / 25.4


def number(base: int = 10_000_000_000_001) -> str:
    """A notice number with its check digits."""
    first = f"3{base:015d}"
    return f"{first}{int(first) % 93:02d}"


def slip(cents: int = 8_050, **changes: Any) -> PaymentSlip:
    values = {
        "notice_number": number(),
        "qr_text": qr_text(number(), BODY, cents),
        "cents": cents,
        "due_on": date(2026, 12, 31),
        "creditor": "ALER Brescia-Cremona-Mantova",
        "body_tax_code": BODY,
    }
    return PaymentSlip(**values | changes)


def envelope(rendered: Rendered | None = None, **changes: Any) -> Envelope:
    made = Envelope(
        "ponte@example.org",
        ADDRESS,
        rendered or render(InstalmentDue.sample(), "it"),
        "ponte.000000012.abcdef123456@example.org",
        AT,
    )
    return replace(made, **changes)


def written(made: Envelope) -> Letter:
    kept: list[Letter] = []
    receipt = LetterChannel(HEAD, kept.append).send(made)
    assert receipt.reply == "one page, waits to be printed" and receipt.message_id == made.message_id
    return kept[0]


def opened(*pages: Letter) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(letters.pdf([page.html for page in pages], "Lettere")))


def words(reader: pypdf.PdfReader, page: int = 0) -> str:
    return " ".join(reader.pages[page].extract_text().replace("\xa0", " ").split())


def tags(reader: pypdf.PdfReader) -> list[str]:
    found: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for one in node:
                walk(one)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(str(node["/S"]))
            walk(node.get("/K", []))

    walk(reader.trailer["/Root"]["/StructTreeRoot"])
    return found


def test_a_letter_is_one_tagged_page_with_title_and_language() -> None:
    reader = opened(written(envelope(slips=(slip(),))))
    root = reader.trailer["/Root"]
    assert len(reader.pages) == 1
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "it"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None and reader.metadata.title == "Un promemoria per giovedì 31 dicembre 2026"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/Figure"} <= set(tags(reader))


def test_everything_painted_is_tagged_or_an_ornament() -> None:
    reader = opened(written(envelope(slips=(slip(),))))
    open_marks, bare = 0, 0
    for _operands, operator in ContentStream(reader.pages[0].get_contents(), reader).operations:
        open_marks += {b"BMC": 1, b"BDC": 1, b"EMC": -1}.get(operator, 0)
        bare += operator in (b"f", b"f*", b"S", b"s", b"B", b"b", b"Tj", b"TJ", b"Do", b"sh") and not open_marks
    assert bare == 0


def test_it_says_what_the_message_says_with_an_italian_date_and_without_what_is_for_mails() -> None:
    said = words(opened(written(envelope())))
    for part in ("Brescia, 24 novembre 2026", "Gentile Maria Rossi", "80,50 €", "Un cordiale saluto", "Rif. 12"):
        assert part in said
    assert "Questo messaggio parte da solo" not in said
    assert "Brescia, 24 novembre 2026" in words(opened(written(envelope(render(InstalmentDue.sample(), "en")))))


def test_the_address_stands_where_the_window_is() -> None:
    places: dict[str, tuple[float, float]] = {}

    def note(text: str, _cm: Any, tm: Any, _font: Any, _size: Any) -> None:
        for line in ADDRESS.splitlines():
            if line in text:
                across, down = tm[4] * _cm[0] + _cm[4], tm[5] * _cm[3] + _cm[5]
                places[line] = (across / MILLIMETRE, 297 - down / MILLIMETRE)

    opened(written(envelope())).pages[0].extract_text(visitor_text=note)
    assert set(places) == set(ADDRESS.splitlines())
    for across, down in places.values():
        assert 109.9 <= across <= 190 and 55 <= down <= 79


def test_amount_and_code_of_an_instalment_can_be_read() -> None:
    made = slip(123_456)
    pdf = letters.pdf([written(envelope(slips=(made,))).html], "")
    said = words(pypdf.PdfReader(io.BytesIO(pdf)))
    assert "1.234,56 €" in said and "31 dicembre 2026" in said and made.grouped in said and BODY in said
    picture = pypdfium2.PdfDocument(pdf)[0].render(scale=3).to_pil()
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [made.qr_text]


def test_two_creditors_have_two_slips_on_the_same_page_and_both_codes_can_be_read() -> None:
    first, second = slip(40_000), slip(1_250)
    pdf = letters.pdf([written(envelope(slips=(first, second))).html], "")
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
    picture = pypdfium2.PdfDocument(pdf)[0].render(scale=3).to_pil()
    assert {code.text for code in zxingcpp.read_barcodes(picture)} == {first.qr_text, second.qr_text}


@pytest.mark.parametrize("language", ["ar", "ur"])
def test_languages_from_right_to_left_keep_their_side_and_the_slip_its_own(language: str) -> None:
    text = "<main><p>نذكركم بأن القسط القادم هو <bdi dir='ltr'>80,50 €</bdi></p></main>"
    page = written(envelope(Rendered("تذكير", "x", text, language), slips=(slip(),)))
    reader = opened(page)
    assert reader.trailer["/Root"]["/Lang"] == language and len(reader.pages) == 1
    assert f'<html lang="{language}">' in page.html and '<main dir="rtl">' in page.html
    assert '<section class="slip" lang="it">' in page.html
    assert "80,50 €" in words(reader) and "Maria Rossi" in words(reader)


def test_every_message_to_a_household_fits_on_a_letter() -> None:
    for kind in MESSAGES.values():
        if kind.audience == "household":
            for language in ("it", "en"):
                assert len(opened(written(envelope(render(kind.sample(), language), slips=(slip(),)))).pages) == 1, kind


def test_a_plan_of_three_years_fits_a_longer_one_is_refused_with_what_to_do() -> None:
    def plan(months: int) -> Envelope:
        due = tuple((date(2026, 12, 31) + timedelta(days=30 * month), 8_050) for month in range(months))
        return envelope(render(PlanSigned.sample().model_copy(update={"instalments": due}), "it"))

    for months in (12, 24, 36):
        assert len(opened(written(plan(months))).pages) == 1
    with pytest.raises(SendNever, match="does not fit on one page: shorten"):
        written(plan(80))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        pytest.param("", "not complete", id="nothing"),
        pytest.param("Maria Rossi", "not complete", id="a name alone"),
        pytest.param("maria@example.org", "not complete", id="a mail address"),
        pytest.param("Maria\nvia \u202eevil 1", "not complete", id="signs that turn the line around"),
        pytest.param("\n".join("abcdef"), "too long", id="six lines"),
        pytest.param("Maria Rossi\n" + "x" * 250, "too long", id="a line that is none"),
    ],
)
def test_an_address_that_no_window_shows_is_refused_without_repeating_it(address: str, why: str) -> None:
    with pytest.raises(SendNever, match=why) as refusal:
        written(envelope(to=address))
    assert "Maria" not in str(refusal.value)


def test_the_town_stands_under_an_address_that_has_none() -> None:
    head = replace(HEAD, town="25100 Brescia BS")
    kept: list[Letter] = []
    for street in ("via Sole 2, A/4", "via Sole 2\n25136 Brescia"):
        LetterChannel(head, kept.append).send(envelope(to=f"Maria Rossi\n{street}"))
    assert kept[0].address == ("Maria Rossi", "via Sole 2, A/4", "25100 Brescia BS")
    assert kept[1].address == ("Maria Rossi", "via Sole 2", "25136 Brescia")


def test_letters_open_neither_files_nor_the_network(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    pypdfium2.PdfDocument(letters.pdf([written(envelope()).html], ""))[0].render().to_pil().save(picture)
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.3)
        port = door.getsockname()[1]
        text = (
            f"<main><p>x</p><img alt='x' src='{picture.as_uri()}'><img alt='y' src='http://127.0.0.1:{port}/x.png'>"
            f"<link rel=stylesheet href='http://127.0.0.1:{port}/x.css'><a href='{picture.as_uri()}'>z</a></main>"
        )
        reader = opened(written(envelope(Rendered("s", "x", text, "it"))))
        with pytest.raises(TimeoutError):
            door.accept()
    assert not reader.pages[0].images and len(reader.pages) == 1


def test_names_from_outside_stay_text() -> None:
    message = InstalmentDue.sample().model_copy(update={"greeting": "<script>x</script> & <b>Maria</b>"})
    page = written(envelope(render(message, "it"), to="<b>Maria</b>\nvia 1"))
    assert "<script>" not in page.html and "<b>Maria" not in page.html
    assert "<b>Maria</b>" in words(opened(page))


def test_several_letters_make_one_document_each_on_its_own_page() -> None:
    first = written(envelope(slips=(slip(),)))
    second = written(envelope(render(PlanSigned.sample(), "en"), to="Luigi Bianchi\nvia Sole 2\n25100 Brescia"))
    reader = opened(first, second)
    assert len(reader.pages) == 2 and reader.metadata is not None and reader.metadata.title == "Lettere"
    assert "Maria Rossi" in words(reader, 0) and "Luigi Bianchi" in words(reader, 1)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and reader.trailer["/Root"]["/Lang"] == "it"


def test_without_pango_the_letter_is_a_page_for_the_browser_and_the_refusal_says_how_to_mend_it(tmp_path: Path) -> None:
    # This machine has Pango: another process finds a library in its place that fails as WeasyPrint does without.
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    program = """if True:
        from notifications import letters
        from notifications.channels.letter import LetterChannel
        from tests.unit.test_letters import HEAD, envelope, slip
        kept = []
        print(LetterChannel(HEAD, kept.append).send(envelope(slips=(slip(),))).reply)
        print("80,50" in kept[0].html, letters.pango_there())
        try:
            letters.pdf([kept[0].html], "")
        except letters.PangoMissing as error:
            print(error)
    """
    path = os.pathsep.join((str(tmp_path), *filter(None, sys.path)))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, third = ran.stdout.splitlines()
    assert "printed from a browser: Pango is missing" in first and second == "True False"
    assert "apt-get install libpango-1.0-0" in third


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"notice_number": "301000000000000199"}, "check digits", id="wrong check digits"),
        pytest.param({"notice_number": "12345"}, "18 digits", id="too short"),
        pytest.param({"body_tax_code": "123"}, "body_tax_code", id="no tax code of a body"),
        pytest.param({"cents": 0}, "cents", id="nothing to pay"),
        pytest.param({"creditor": " "}, "creditor", id="nobody to pay"),
        pytest.param({"qr_text": "PAGOPA|002|x"}, "qr_text", id="a code that says something else"),
    ],
)
def test_a_slip_that_would_lead_a_payment_astray_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadData, match=field):
        slip(**changes)
