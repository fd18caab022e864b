"""An appointment is near."""

from datetime import UTC, datetime
from typing import ClassVar, Self

from notifications.message import HouseholdMessage, LookedUp


class AppointmentReminder(HouseholdMessage):
    """An appointment is near."""

    name: ClassVar[str] = "appointment_reminder"

    starts: datetime
    where: LookedUp

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
            starts=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
            where="via Cimabue 16",
        )
