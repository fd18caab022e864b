"""Console and error texts through gettext: msgids are English, the language is Italian unless PONTE_LANGUAGE says otherwise."""

import gettext as _gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("it", "en")
_language: ContextVar[str] = ContextVar("ponte_language", default="it")


def use_language(language: str) -> None:
    """Set the language of this context; a language that Ponte does not speak is refused."""
    if language not in LANGUAGES:
        raise ValueError(f"PONTE_LANGUAGE must be one of {', '.join(LANGUAGES)}, not {language!r}")
    _language.set(language)


def language() -> str:
    """The language of this context."""
    return _language.get()


@cache
def _catalogue(code: str) -> _gettext.NullTranslations:
    # English is the language of the msgids: it needs no catalogue.
    return _gettext.translation("ponte", LOCALE, languages=[code], fallback=code == "en")


def gettext(message: str) -> str:
    """The message in the language of this context."""
    return _catalogue(_language.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The message in the form that the number asks for."""
    return _catalogue(_language.get()).ngettext(singular, plural, n)
