"""Messages to households in five languages: whole, the same figures everywhere, nothing Italian left, nothing turned round."""

import re
import unicodedata
from datetime import UTC, date, datetime

import pytest

from notifications.formats import filters
from notifications.languages import HOUSEHOLD_LANGUAGES, RIGHT_TO_LEFT, isolated, spoken_language
from notifications.message import Message
from notifications.messages.appointment_reminder.model import AppointmentReminder
from notifications.messages.instalment_due.model import InstalmentDue
from notifications.registry import MESSAGES
from notifications.rendering import SHORT, TEMPLATES, Rendered, render
from tests.unit.test_messages import placeholders_of

TO_HOUSEHOLDS = {name: kind for name, kind in MESSAGES.items() if kind.audience == "household"}
every_household_message = pytest.mark.parametrize("kind", TO_HOUSEHOLDS.values(), ids=TO_HOUSEHOLDS.keys())
every_language = pytest.mark.parametrize("language", HOUSEHOLD_LANGUAGES)
other_languages = pytest.mark.parametrize("language", [one for one in HOUSEHOLD_LANGUAGES if one != "it"])
from_right_to_left = pytest.mark.parametrize("language", sorted(RIGHT_TO_LEFT))
FIGURES = re.compile(r"[0-9]+(?:[.,:/][0-9]+)*")
MARKUP = re.compile(r"<style.*?</style>|<[^>]+>", re.S)
OURS = ("Un ponte sul blu", "Piano di Intervento Personalizzato")
# Words that stand in Italian letters again and again and in none of the other four languages.
ITALIAN = frozenset(
    re.findall(
        r"\w+",
        "gentile saluto cordiale chiami ci ore entro grazie abbiamo piano appuntamento della delle che per non anche"
        " questo insieme dopo prima gennaio dicembre novembre lunedì martedì mercoledì giovedì venerdì domenica",
    )
)
GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = set("^{}\\[~]|€")


def values_of(message: Message) -> list[str]:
    return [value for name in message.placeholders() if isinstance(value := getattr(message, name), str)]


def words(kind: type[Message], language: str) -> tuple[Message, Rendered]:
    message = kind.sample()
    return message, render(message, language)


def bare(text: str, message: Message) -> str:
    """The text without our marks of direction, the names that were filled in, and names that stay as they are."""
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    for value in sorted([*values_of(message), *OURS], key=len, reverse=True):
        text = text.replace(value, " ")
    return text


def figures(text: str) -> list[str]:
    return sorted(FIGURES.findall(text))


def units(short: str) -> int:
    """Units of 7 bits; 0: not possible in them."""
    if set(short) <= GSM_7 | GSM_TWICE:
        return len(short) + sum(char in GSM_TWICE for char in short)
    return 0


@every_household_message
@every_language
def test_every_language_says_the_same_things(kind: type[Message], language: str) -> None:
    for form in ("txt", "html"):
        name = f"{kind.name}/body.%s.{form}"
        assert placeholders_of(name % language, language) == placeholders_of(name % "it", "it")
    short = f"{kind.name}/{SHORT}"
    assert placeholders_of(short.format(language=language), language) <= kind.placeholders()
    html = render(kind.sample(), language).html
    assert f'<html lang="{language}" dir="{"rtl" if language in RIGHT_TO_LEFT else "ltr"}">' in html


@every_household_message
@every_language
def test_plain_text_and_html_say_the_same_figures(kind: type[Message], language: str) -> None:
    message, rendered = words(kind, language)
    text, html = (bare(part, message) for part in (rendered.text, MARKUP.sub(" ", rendered.html)))
    assert figures(text) == figures(html)


@every_household_message
@other_languages
def test_no_italian_word_is_left_in_another_language(kind: type[Message], language: str) -> None:
    message, rendered = words(kind, language)
    for part in (rendered.subject, rendered.text, MARKUP.sub(" ", rendered.html), rendered.short):
        assert not ITALIAN.intersection(re.findall(r"\w+", bare(part, message).lower()))
        if language in RIGHT_TO_LEFT:
            assert not re.findall(r"[A-Za-z]+", bare(part, message))


@every_household_message
@every_language
def test_short_texts_are_one_line_and_fit_their_segments(kind: type[Message], language: str) -> None:
    short = render(kind.sample(), language).short
    assert short and "\n" not in short and short != render(kind.sample(), language).subject
    if language in RIGHT_TO_LEFT:
        length = len(short.encode("utf-16-be")) // 2
        assert length <= 3 * 67  # of 70 signs a segment, 3 say which part it is
    else:
        assert 0 < units(short) <= 160


@every_household_message
@from_right_to_left
def test_every_isolate_that_is_opened_is_closed_on_its_line(kind: type[Message], language: str) -> None:
    rendered = render(kind.sample(), language)
    for line in (rendered.subject, rendered.short, *rendered.text.splitlines(), *rendered.html.splitlines()):
        open_now = 0
        for char in line:
            open_now += char in "\u2066\u2068"
            open_now -= char == "\u2069"
            assert 0 <= open_now <= 1
        assert open_now == 0


@from_right_to_left
def test_days_and_amounts_keep_the_italian_form_inside_text_from_the_right(language: str) -> None:
    text = render(InstalmentDue.sample(), language).text
    assert "\u206631/12/2026\u2069" in text and "\u206680,50\xa0€\u2069" in text
    starts = filters(language)["hour"](datetime(2026, 11, 25, 9, 30, tzinfo=UTC))
    assert starts == "\u206610:30\u2069"
    assert all(line.startswith("\u200f") for line in text.splitlines() if line)


@pytest.mark.parametrize(
    ("language", "weekday"),
    [("ar", "الاثنين"), ("ur", "پیر")],
    ids=["arabic", "urdu"],
)
def test_the_weekday_is_said_in_the_reader_s_language(language: str, weekday: str) -> None:
    assert filters(language)["day"](date(2026, 11, 23)) == f"{weekday} \u206623/11/2026\u2069"


def test_romanian_has_its_own_days_and_italian_amounts() -> None:
    assert filters("ro")["day"](date(2026, 11, 23)) == "luni, 23 noiembrie 2026"
    assert filters("ro")["euro"](123_456) == "1.234,56\xa0€"


@from_right_to_left
def test_names_stand_isolated_and_cannot_turn_the_text(language: str) -> None:
    name = "Nadia \u202eBianchi\u2069"
    message = AppointmentReminder.sample().model_copy(update={"greeting": name})
    rendered = render(message, language)
    assert "\u2068Nadia Bianchi\u2069" in rendered.text and "\u2068Nadia Bianchi\u2069" in rendered.html
    assert "\u2068030\xa00000000\u2069" in rendered.text
    assert isolated(name) == "\u2068Nadia Bianchi\u2069"
    assert "\u202e" not in rendered.text + rendered.html


@pytest.mark.parametrize(
    ("asked", "audience", "used"),
    [
        pytest.param("ar-MA", "household", "ar", id="arabic of a country"),
        pytest.param("UR_pk", "household", "ur", id="urdu, another spelling"),
        pytest.param("sq", "household", "it", id="not there"),
        pytest.param("ar", "staff", "it", id="staff are written to in italian or english"),
        pytest.param("en-GB", "staff", "en", id="english staff"),
    ],
)
def test_the_language_asked_for_is_mapped(asked: str, audience: str, used: str) -> None:
    assert spoken_language(asked, audience) == used


@pytest.mark.parametrize("language", HOUSEHOLD_LANGUAGES)
def test_what_is_true_of_mails_alone_is_marked_so_that_letters_leave_it_out(language: str) -> None:
    base = (TEMPLATES / "_base" / f"household.{language}.html").read_text(encoding="utf-8")
    assert base.count('class="mail-only"') == 1
