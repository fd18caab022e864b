"""We have met and the household still thinks about taking part: we are there."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import HouseholdMessage


class MeetingReminder(HouseholdMessage):
    """We have met and the household still thinks about taking part: we are there."""

    name: ClassVar[str] = "meeting_reminder"

    met_on: date | None = None

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
            met_on=date(2026, 11, 9),
        )
