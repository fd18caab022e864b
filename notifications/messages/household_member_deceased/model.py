"""Somebody of a household has died: every message has stopped."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import CaseNotice


class HouseholdMemberDeceased(CaseNotice):
    """Somebody of a household has died: every message has stopped."""

    name: ClassVar[str] = "household_member_deceased"

    recorded_on: date

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            case_code="P-000123",
            household="Rossi",
            place="Torre Cimabue",
            what_to_do="sentire la famiglia di persona, quando è il momento",
            link="ponte case show P-000123",
            recorded_on=date(2026, 11, 20),
        )
