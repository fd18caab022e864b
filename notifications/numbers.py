"""Telephone numbers in E.164 form, and which of them can get an SMS. Pure."""

import re

_LAID_OUT = re.compile(r"[\s./()\-\u2010-\u2015]+")
ITALY = "+39"
MOBILE = re.compile(r"\+393\d{8,9}")  # the Italian numbering plan: 3xx and six or seven figures
LANDLINE = re.compile(r"\+390\d{5,10}")  # the 0 of the area code stays, also from abroad
ABROAD = re.compile(r"\+[1-9]\d{6,14}")


class NotANumber(ValueError):
    """It cannot be a telephone number."""


def e164(text: str, country: str = ITALY) -> str:
    """+39..., however it was laid out; `NotANumber` when it cannot be one. Without a prefix it is an Italian one."""
    plain = _LAID_OUT.sub("", text.strip())
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    elif not plain.startswith("+"):
        plain = country + plain
    if not (plain.isascii() and plain[1:].isdecimal()):
        raise NotANumber("a telephone number has figures only")
    known = (MOBILE, LANDLINE) if plain.startswith(ITALY) else (ABROAD,)
    if not any(one.fullmatch(plain) for one in known):
        raise NotANumber("no telephone number has this form")
    return plain


def takes_sms(number: str) -> bool:
    """Whether an SMS can reach this number (E.164): Italian mobiles, and numbers abroad, of which nothing is known."""
    return MOBILE.fullmatch(number) is not None or not number.startswith(ITALY)
