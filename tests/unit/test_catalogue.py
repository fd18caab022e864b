"""The Italian catalogue: every sentence translated, placeholders alike, compiled from what it says."""

import re
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from ponte_workflow.i18n import LOCALE

REPOSITORY = Path(__file__).parents[2]
FOLDER = LOCALE / "it" / "LC_MESSAGES"


def catalogue() -> Catalog:
    with (FOLDER / "ponte.po").open("rb") as file:
        return read_po(file, locale="it")


def wanted() -> set[str]:
    """Every msgid in the sources."""
    found = set()
    for package in ("ponte_workflow", "flows"):
        for _file, _line, message, *_rest in extract_from_dir(str(REPOSITORY / package), keywords={"_": None}):
            found.add(str(message))
    return found


def test_every_sentence_of_the_console_is_translated() -> None:
    translated = {str(message.id) for message in catalogue() if message.string}
    assert wanted() - translated == set()
    assert {message.id for message in catalogue() if message.fuzzy and message.id} == set()


def test_no_sentence_is_translated_that_nobody_says() -> None:
    assert {str(message.id) for message in catalogue() if message.id} - wanted() == set()


def test_placeholders_are_the_same_in_both_languages() -> None:
    for message in catalogue():
        assert set(re.findall(r"{\w+", str(message.id))) == set(re.findall(r"{\w+", str(message.string))), message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (FOLDER / "ponte.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    stale = [
        message.id for message in catalogue() if message.id and compiled.gettext(str(message.id)) != message.string
    ]
    assert stale == [], "make messages"
