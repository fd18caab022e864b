"""Cases that the night could not treat and set aside. Codes only."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import Part, StaffMessage, Text


class SetAside(Part):
    """One case; `why` is the class and place of the error."""

    case_code: Text
    why: Text


class CasesSetAside(StaffMessage):
    """Cases that the night could not treat and set aside. Codes only."""

    name: ClassVar[str] = "cases_set_aside"

    on: date
    cases: tuple[SetAside, ...]

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            on=date(2026, 11, 23),
            cases=(SetAside(case_code="P-000123", why="BadConfiguration/clocks"),),
        )
