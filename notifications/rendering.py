"""From a message to its words: subject, plain text and html, in one of the languages there are."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from notifications.formats import filters
from notifications.languages import (
    HOUSEHOLD_LANGUAGES,
    RIGHT_TO_LEFT,
    direction,
    isolated,
    kept_in_one_line,
    lines_from_the_right,
    spoken_language,
)
from notifications.message import Message

TEMPLATES = Path(__file__).parent / "messages"
LANGUAGES = HOUSEHOLD_LANGUAGES
PARTS = ("subject.{language}.txt", "body.{language}.txt", "body.{language}.html")
SHORT = "short.{language}.txt"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one message; `language` is the one used, which may differ from the one asked for."""

    subject: str
    text: str
    html: str
    language: str
    short: str = ""  # one line for channels that are paid by the piece; the subject where a message has none of its own


def render(message: Message, language: str) -> Rendered:
    """Render in `language` (a code such as it, en-GB, ar-MA); one in which the message is not there becomes Italian."""
    spoken = spoken_language(language, message.audience)
    environment = environment_for(spoken)
    fields = {name: _kept_apart(getattr(message, name), spoken) for name in message.placeholders()}
    fields |= {"language": spoken, "direction": direction(spoken)}
    subject, text, html = (
        environment.get_template(f"{message.name}/{part.format(language=spoken)}").render(fields) for part in PARTS
    )
    short = subject
    if (TEMPLATES / message.name / SHORT.format(language=spoken)).is_file():
        short = environment.get_template(f"{message.name}/{SHORT.format(language=spoken)}").render(fields)
    text = _tidy(text)
    if spoken in RIGHT_TO_LEFT:
        text = lines_from_the_right(text)
    return Rendered(_one_line(subject), text, html.strip() + "\n", spoken, _one_line(short))


def _kept_apart(value: Any, language: str) -> Any:
    """Names and addresses inside right-to-left text, isolated here so that no template can forget it."""
    return isolated(value) if isinstance(value, str) and language in RIGHT_TO_LEFT else value


@cache
def environment_for(language: str) -> Environment:
    """The template environment of one language; an undefined placeholder is an error, html is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters(language))
    return environment


def _one_line(text: str) -> str:
    # A line break from somebody's name would start a header of its own.
    return " ".join("".join(char if kept_in_one_line(char) else " " for char in text).split())


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
