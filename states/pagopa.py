"""pagoPA notices: numbers of 18 digits with their check digits, the reference (IUV) in them, and whose they are.

A number is 3 + segregation code (2) + base (13) + check (2); check = the first sixteen digits mod 93; the IUV is the last
seventeen. Source: the specification of payment notices of pagoPA, auxiliary digit 3.
"""

from dataclasses import dataclass
from typing import Protocol

AUXILIARY = "3"
_MODULUS = 93
_BASE_DIGITS = 13


@dataclass(frozen=True, slots=True)
class Body:
    """A creditor that takes payments by pagoPA: its name as the ledgers write it, tax code (11 digits), segregation code."""

    creditor: str
    tax_code: str
    segregation: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A notice that is asked for. `part_id`: of the instalment, for that creditor; `cents` > 0."""

    part_id: int
    creditor: str
    cents: int


class NoticeIssuer(Protocol):
    """Who gives numbers to notices: ours by the rules, or the landlord's own system."""

    def issue(self, wanted: Wanted) -> tuple[str, str] | None:
        """(notice number, tax code of the body); None: this creditor takes no payments by pagoPA. The same part gets the
        same number whenever it is asked for."""
        ...


@dataclass(frozen=True, slots=True)
class OwnIssuer:
    """Numbers made from the instalment part's own id: never twice the same, and no counter that two could race for."""

    bodies: tuple[Body, ...]

    def issue(self, wanted: Wanted) -> tuple[str, str] | None:
        """By the creditor's segregation code and the part's id."""
        body = next((one for one in self.bodies if one.creditor == wanted.creditor), None)
        if body is None:
            return None
        return notice_number(body.segregation, wanted.part_id), body.tax_code


def notice_number(segregation: str, base: int) -> str:
    """The 18 digits for a base from 0 to 10**13 - 1. Raises ValueError on a code or a base that cannot be."""
    if not _digits(segregation, 2):
        raise ValueError(f"a segregation code has two digits, not “{segregation}”")
    if not 0 <= base < 10**_BASE_DIGITS:
        raise ValueError(f"a base has at most {_BASE_DIGITS} digits, {base} has not")
    first = f"{AUXILIARY}{segregation}{base:0{_BASE_DIGITS}d}"
    return f"{first}{int(first) % _MODULUS:02d}"


def is_notice(number: str) -> bool:
    """Whether the 18 digits are there and the check digits are right."""
    return _digits(number, 18) and number[0] == AUXILIARY and int(number[:16]) % _MODULUS == int(number[16:])


def iuv_of(number: str) -> str:
    """The reference in a notice number: its last seventeen digits."""
    return number[1:]


def read_bodies(text: str) -> tuple[Body, ...]:
    """Bodies from `CREDITOR=TAXCODE/SEGREGATION; ...`. Raises ValueError with the part that cannot be read."""
    bodies = []
    for part in (one.strip() for one in text.split(";") if one.strip()):
        creditor, _equals, codes = part.rpartition("=")
        tax_code, _slash, segregation = codes.strip().partition("/")
        if not creditor.strip() or not _digits(tax_code, 11) or not _digits(segregation, 2):
            raise ValueError(f"“{part}” is not CREDITOR=11 digits/2 digits")
        bodies.append(Body(creditor.strip(), tax_code, segregation))
    if len({(body.tax_code, body.segregation) for body in bodies}) < len(bodies):
        raise ValueError("two creditors have the same tax code and segregation code: their numbers would collide")
    return tuple(bodies)


def _digits(text: str, count: int) -> bool:
    return len(text) == count and text.isascii() and text.isdecimal()
