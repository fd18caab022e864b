"""We would like to meet a household for the first time."""

from typing import ClassVar, Self

from notifications.message import HouseholdMessage


class FirstMeetingInvitation(HouseholdMessage):
    """We would like to meet a household for the first time."""

    name: ClassVar[str] = "first_meeting_invitation"

    at_home: bool = True  # False: nobody may come to this household's home, so it is not offered

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
        )
