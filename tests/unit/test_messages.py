"""Every message, in every language: complete, checked, safe."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError, meta

from notifications.errors import BadData, UnknownMessage
from notifications.formats import filters
from notifications.languages import languages_for
from notifications.message import CaseNotice, HouseholdMessage, Message, StaffMessage
from notifications.messages.digest.model import Digest, DigestRow
from notifications.messages.event_invitation.model import EventInvitation
from notifications.messages.plan_signed.model import PlanSigned
from notifications.registry import MESSAGES, check, check_queued
from notifications.rendering import LANGUAGES, PARTS, SHORT, TEMPLATES, environment_for, render

every_message = pytest.mark.parametrize("kind", MESSAGES.values(), ids=MESSAGES.keys())
every_language = pytest.mark.parametrize("language", LANGUAGES)
in_every_language = pytest.mark.parametrize(
    ("kind", "language"),
    [
        pytest.param(kind, language, id=f"{name} {language}")
        for name, kind in MESSAGES.items()
        for language in languages_for(kind.audience)
    ],
)
THREATS: tuple[str, ...] = (
    "sfratto",
    "diffida",
    "ingiunzione",
    "legale",
    "morosità",
    "eviction",
    "legal action",
    "arrears",
    "overdue",
)
THREATS += ("إخلاء", "طرد", "محكمة", "إنذار", "متأخرات", "بے دخل", "عدالت", "قانونی", "بقایا", "نوٹس دیا")
THREATS += ("evacuare", "somați", "instanț", "executare", "restanț", "datori")


def placeholders_of(template: str, language: str) -> set[str]:
    environment = environment_for(language)
    assert environment.loader is not None
    source = environment.loader.get_source(environment, template)[0]
    return meta.find_undeclared_variables(environment.parse(source)) - {"language", "direction"}


def digest_row(
    code: str = "P-000001", *, kind: str = "remind", waiting_days: int = 1, household: str = "Rossi"
) -> DigestRow:
    return DigestRow.model_validate(
        {
            "case_code": code,
            "household": household,
            "place": "Smeraldo",
            "state": "Verifica",
            "why": "nessun esito",
            "since": date(2026, 11, 1),
            "waiting_days": waiting_days,
            "what_to_do": "decidere",
            "kind": kind,
        }
    )


@in_every_language
def test_every_message_renders_in_every_language(kind: type[Message], language: str) -> None:
    rendered = render(kind.sample(), language)
    assert rendered.language == language
    assert rendered.subject and "\n" not in rendered.subject
    assert len(rendered.text) > 100
    assert rendered.html.startswith("<!DOCTYPE html>") and f'<html lang="{language}" dir=' in rendered.html
    assert "None" not in rendered.subject + rendered.text
    assert "\n\n\n" not in rendered.text


@in_every_language
def test_html_needs_nothing_from_outside(kind: type[Message], language: str) -> None:
    html = render(kind.sample(), language).html
    assert not [word for word in ("<img", "<script", "<link", "url(", "http://", "https://") if word in html]


@in_every_language
@pytest.mark.parametrize("part", PARTS)
def test_templates_use_only_the_fields_of_their_message(kind: type[Message], language: str, part: str) -> None:
    assert placeholders_of(f"{kind.name}/{part.format(language=language)}", language) <= kind.placeholders()


@pytest.mark.parametrize("form", ["txt", "html"])
@pytest.mark.parametrize(("base", "kind"), [("household", HouseholdMessage), ("staff", StaffMessage)])
def test_base_layouts_use_only_what_every_such_message_has(base: str, kind: type[Message], form: str) -> None:
    for language in languages_for(base):
        assert placeholders_of(f"_base/{base}.{language}.{form}", language) <= kind.placeholders()


def test_every_folder_is_a_message_with_all_its_templates_and_nothing_else() -> None:
    folders = {path.name: path for path in TEMPLATES.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders.keys() == MESSAGES.keys()
    for name, folder in folders.items():
        audience = MESSAGES[name].audience
        parts = (*PARTS, SHORT) if audience == "household" else PARTS
        wanted = {part.format(language=language) for part in parts for language in languages_for(audience)}
        wanted |= {"__init__.py", "model.py"}
        assert {path.name for path in folder.iterdir() if path.name != "__pycache__"} == wanted


@every_message
def test_every_field_of_a_message_is_used_in_its_text(kind: type[Message]) -> None:
    used = placeholders_of(f"{kind.name}/body.it.txt", "it") | placeholders_of(f"_base/{kind.audience}.it.txt", "it")
    used |= placeholders_of(f"{kind.name}/subject.it.txt", "it")
    computed = {"instalments"} if "total" in used else set()
    assert set(kind.model_fields) - computed - used == set()


@pytest.mark.parametrize("name", [name for name, kind in MESSAGES.items() if kind.audience == "household"])
@every_language
def test_households_are_never_threatened(name: str, language: str) -> None:
    rendered = render(MESSAGES[name].sample(), language)
    words = (rendered.subject + rendered.text + rendered.short).lower()
    assert not [threat for threat in THREATS if threat in words]


def test_only_the_instalment_is_a_demand_and_only_the_signed_plan_is_legal() -> None:
    assert {name for name, kind in MESSAGES.items() if kind.demand} == {"instalment_due"}
    assert {name for name, kind in MESSAGES.items() if kind.legal} == {"plan_signed"}


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        pytest.param("it", "it", id="italian"),
        pytest.param("en-GB", "en", id="english of a region"),
        pytest.param("EN_us", "en", id="other spelling"),
        pytest.param("ar-MA", "ar", id="arabic of a country"),
        pytest.param("ur", "ur", id="urdu"),
        pytest.param("sq", "it", id="not there"),
        pytest.param("", "it", id="unknown"),
    ],
)
def test_a_language_that_is_not_there_becomes_italian_and_says_so(asked: str, used: str) -> None:
    assert render(EventInvitation.sample(), asked).language == used


def test_a_line_break_in_a_title_starts_no_header() -> None:
    message = EventInvitation.sample().model_copy(update={"title": "Festa\r\nBcc: tutti@example.org\u2028X-A: b"})
    assert render(message, "it").subject == "Festa Bcc: tutti@example.org X-A: b: la aspettiamo"


def test_html_is_escaped_and_plain_text_is_not() -> None:
    digest = Digest.sample().model_copy(update={"urgent": (digest_row(household="<b>D'Amico & figli</b>"),)})
    rendered = render(digest, "it")
    assert "<b>D'Amico & figli</b>" in rendered.text
    assert "&lt;b&gt;D&#39;Amico &amp; figli&lt;/b&gt;" in rendered.html


def test_an_undefined_placeholder_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment_for("it").from_string("{{ nobody }}").render()
    with pytest.raises(TemplateNotFound):
        environment_for("it").get_template(str(Path("..") / "rendering.py"))


def test_the_digest_is_sorted_by_urgency_whatever_order_its_rows_come_in() -> None:
    rows = (
        digest_row("P-4", kind="inform", waiting_days=90),
        digest_row("P-3", waiting_days=2),
        digest_row("P-2", waiting_days=9),
        digest_row("P-1", kind="escalate", waiting_days=1),
        digest_row("P-0", waiting_days=2),
    )
    digest = Digest(greeting="Anna", on=date(2026, 11, 23), urgent=rows)
    assert [row.case_code for row in digest.urgent] == ["P-1", "P-2", "P-0", "P-3", "P-4"]


def test_the_digest_says_who_why_since_when_and_what_to_do() -> None:
    text = render(Digest(greeting="Anna", on=date(2026, 11, 23), urgent=(digest_row(),)), "it").text
    for part in ("P-000001", "Rossi", "Smeraldo", "Verifica", "nessun esito", "1 nov 2026", "1 giorno", "decidere"):
        assert part in text


def test_an_empty_digest_says_that_nothing_waits() -> None:
    rendered = render(Digest(greeting="Anna", on=date(2026, 11, 23)), "en")
    assert "Nothing to do today" in rendered.text
    assert rendered.subject == "0 to do: Monday, 23 November 2026"


def test_check_builds_the_message_from_plain_data() -> None:
    sample = PlanSigned.sample()
    assert check("plan_signed", sample.model_dump(exclude={"total"}, mode="json")) == sample


def test_check_names_the_faults_and_never_the_values() -> None:
    with pytest.raises(BadData) as refused:
        check("instalment_due", {"greeting": "Maria Rossi", "cents": -5, "due_on": "domani", "shoe": "Maria Rossi"})
    sentence = str(refused.value)
    assert "instalment_due" in sentence and "cents" in sentence and "phone: missing" in sentence
    assert "Maria" not in sentence


def test_unknown_messages_are_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownMessage, match="plan_signed"):
        check("plan_sinned", {})


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        pytest.param("instalment_due", {"due_on": "2026-12-31", "cents": 8050, "plan_id": 4}, None, id="complete"),
        pytest.param("instalment_due", {"due_on": "2026-12-31"}, "cents: missing", id="a placeholder is missing"),
        pytest.param(
            "instalment_due",
            {"due_on": "2026-12-31", "cents": 1, "greeting": "Maria"},
            "greeting: extra_forbidden",
            id="a name must not wait in the outbox",
        ),
        pytest.param("digest", {"on": "2026-11-23"}, None, id="a digest is gathered later"),
        pytest.param("digest", {"on": "2026-11-23", "urgent": []}, "urgent", id="its rows are personal"),
        pytest.param("plan_signed", {"signed_on": "2026-11-20", "instalments": []}, "instalments", id="no instalment"),
    ],
)
def test_data_are_checked_when_they_are_queued(name: str, data: dict[str, object], fault: str | None) -> None:
    if fault is None:
        check_queued(name, data)
        return
    with pytest.raises(BadData, match=fault):
        check_queued(name, data)


def test_names_of_people_and_places_are_read_only_when_rendering() -> None:
    assert {"greeting", "case_code", "household", "place"} <= CaseNotice.looked_up()
    assert {"greeting", "phone", "office", "worker", "partner"} <= HouseholdMessage.looked_up()


@pytest.mark.parametrize(
    ("language", "name", "value", "written"),
    [
        pytest.param("it", "day", date(2026, 11, 23), "lunedì 23 novembre 2026", id="italian day"),
        pytest.param("en", "day", date(2026, 11, 23), "Monday, 23 November 2026", id="english day"),
        pytest.param("it", "euro", 123_456, "1.234,56\xa0€", id="italian cents"),
        pytest.param("en", "euro", Decimal("1234.5"), "€1,234.50", id="english decimal"),
        pytest.param("it", "euro", -5, "-0,05\xa0€", id="less than nothing"),
    ],
)
def test_dates_and_amounts_take_the_form_of_the_language(language: str, name: str, value: object, written: str) -> None:
    assert filters(language)[name](value) == written
