"""The plan was kept to the end: thank you."""

from typing import ClassVar, Self

from notifications.message import HouseholdMessage


class PlanKeptThanks(HouseholdMessage):
    """The plan was kept to the end: thank you."""

    name: ClassVar[str] = "plan_kept_thanks"

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
