"""The Italian catalogue: every sentence of console and pages translated, placeholders alike, compiled from what it says."""

import re
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from ponte_workflow.i18n import LOCALE

REPOSITORY = Path(__file__).parents[2]
FOLDER = LOCALE / "it" / "LC_MESSAGES"


def catalogue() -> Catalog:
    with (FOLDER / "ponte.po").open("rb") as file:
        return read_po(file, locale="it")


SOURCES = [("**.py", "python"), ("**/web/templates/**.html", "jinja2")]
JINJA = {"**/web/templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "silent": "false"}}
KEYWORDS = {**DEFAULT_KEYWORDS, "_": None}


def msgids(message: Message) -> tuple[str, ...]:
    """Singular and plural, or the one sentence."""
    return tuple(message.id) if isinstance(message.id, (tuple, list)) else (str(message.id),)


def strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, (tuple, list)) else (str(message.string),)


def wanted() -> set[str]:
    """Every msgid in the sources, plurals too."""
    found = set()
    for package in ("ponte_workflow", "flows"):
        for _file, _line, message, *_rest in extract_from_dir(
            str(REPOSITORY / package), method_map=SOURCES, options_map=JINJA, keywords=KEYWORDS
        ):
            found |= set(message) if isinstance(message, tuple) else {message}
    return found


def test_every_sentence_of_console_and_pages_is_translated() -> None:
    translated = {one for message in catalogue() if all(strings(message)) for one in msgids(message)}
    assert wanted() - translated == set()
    assert {message.id for message in catalogue() if message.fuzzy and message.id} == set()


def test_no_sentence_is_translated_that_nobody_says() -> None:
    assert {one for message in catalogue() if message.id for one in msgids(message)} - wanted() == set()


def test_placeholders_are_the_same_in_both_languages() -> None:
    holes = re.compile(r"{\w*|%\(\w+\)s")
    for message in catalogue():
        for text in strings(message) if message.id else ():
            assert set(holes.findall(text)) <= {hole for one in msgids(message) for hole in holes.findall(one)}, text
            assert set(holes.findall(msgids(message)[-1])) <= set(holes.findall(text)), text


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (FOLDER / "ponte.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    stale = []
    for message in catalogue():
        ids = msgids(message)
        said = (
            tuple(compiled.ngettext(ids[0], ids[1], n) for n in (1, 2))
            if len(ids) == 2
            else (compiled.gettext(ids[0]),)
        )
        if message.id and said != strings(message):
            stale.append(message.id)
    assert stale == [], "make messages"
