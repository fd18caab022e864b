"""Something happens in the quarter and everybody is welcome."""

from datetime import UTC, datetime
from typing import ClassVar, Self

from notifications.message import HouseholdMessage, LookedUp


class EventInvitation(HouseholdMessage):
    """Something happens in the quarter and everybody is welcome."""

    name: ClassVar[str] = "event_invitation"

    title: LookedUp
    starts: datetime
    where: LookedUp
    organiser: LookedUp

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
            title="Merenda al condominio Smeraldo",
            starts=datetime(2026, 12, 5, 15, 0, tzinfo=UTC),
            where="sala comune, condominio Smeraldo",
            organiser="Amici degli Elefanti Volanti",
        )
