"""The languages that households and staff are written to in, and how text of two directions is kept apart."""

import re

STAFF_LANGUAGES = ("it", "en")
HOUSEHOLD_LANGUAGES = ("it", "en", "ar", "ur", "ro")
RIGHT_TO_LEFT = frozenset({"ar", "ur"})
FALLBACK = "it"
NAMES = {"it": "Italiano", "en": "English", "ar": "العربية", "ur": "اردو", "ro": "Română"}  # each in itself
_LRI, _FSI, _PDI, _RLM = "\u2066", "\u2068", "\u2069", "\u200f"
_NUMBER = re.compile("[+0-9 ]+")
_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def languages_for(audience: str) -> tuple[str, ...]:
    """The languages in which messages to `household` or `staff` exist."""
    return HOUSEHOLD_LANGUAGES if audience == "household" else STAFF_LANGUAGES


def spoken_language(language: str, audience: str = "household") -> str:
    """The language that is used for the one asked for: ar for ar-MA, Italian for one that is not there."""
    code = re.split("[-_]", language.strip().lower())[0]
    return code if code in languages_for(audience) else FALLBACK


def direction(language: str) -> str:
    """`rtl` or `ltr`, as html writes it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def ltr(text: str) -> str:
    """Text that runs from left to right whatever stands around it (dates, amounts)."""
    return f"{_LRI}{text}{_PDI}"


def isolated(text: str) -> str:
    """A name, address or number of any script that neither turns the text around it nor is turned by it."""
    plain = _CONTROLS.sub("", text)
    if _NUMBER.fullmatch(plain):
        plain = plain.replace(" ", "\xa0")  # a phone number broken over two lines is read from the wrong end
    return f"{_FSI}{plain}{_PDI}"


def lines_from_the_right(text: str) -> str:
    """Plain text whose every line begins on the right, also one that holds nothing but an Italian name."""
    return "\n".join(_RLM + line if line.strip() else line for line in text.split("\n"))


def kept_in_one_line(char: str) -> bool:
    """Whether a sign may stay in a subject or short text: printable, or a mark of direction of ours."""
    return char.isprintable() or char in (_LRI, _FSI, _PDI)
