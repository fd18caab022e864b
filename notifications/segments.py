"""How many SMS a text takes: the GSM alphabet has room for 160 signs, any other sign makes it 70. Pure (3GPP 23.038)."""

from typing import NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # two places each
# What typesetters like and the GSM alphabet has not: written plainly, a text stays in 160 signs.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d«»", '"'),
        **dict.fromkeys("\u2013\u2014", "-"),
        **dict.fromkeys("\u00a0\u202f", " "),
        "\u2026": "...",
    }
)


class Sms(NamedTuple):
    """A text as it leaves, and what it takes."""

    text: str
    encoding: str  # GSM-7 or UCS-2
    segments: int


def measure(text: str) -> Sms:
    """The text with typographic signs written plainly where that saves UCS-2, its encoding and its segments (1 at least)."""
    plain = text.translate(_PLAIN)
    if all(sign in _BASIC or sign in _EXTENDED for sign in plain):
        places = [2 if sign in _EXTENDED else 1 for sign in plain]
        return Sms(plain, "GSM-7", 1 if sum(places) <= 160 else _parts(places, 153))
    # Counted in units of UTF-16: an emoji takes two, and is not torn apart.
    units = [len(sign.encode("utf-16-be")) // 2 for sign in text]
    return Sms(text, "UCS-2", 1 if sum(units) <= 70 else _parts(units, 67))


def _parts(places: list[int], room: int) -> int:
    parts, used = 1, 0
    for one in places:
        if used + one > room:
            parts, used = parts + 1, 0
        used += one
    return parts
