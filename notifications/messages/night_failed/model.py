"""A night did not reach its end. Codes only."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import StaffMessage, Text


class NightFailed(StaffMessage):
    """A night did not reach its end. Codes only."""

    name: ClassVar[str] = "night_failed"

    on: date  # business date of the night
    step: Text
    error: Text  # the class of the error, never its data
    attempts: int

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            on=date(2026, 11, 23),
            step="clocks",
            error="OperationalError",
            attempts=3,
        )
