"""An instalment falls due in a few days."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import Cents, HouseholdMessage


class InstalmentDue(HouseholdMessage):
    """An instalment falls due in a few days."""

    name: ClassVar[str] = "instalment_due"
    demand: ClassVar[bool] = True

    due_on: date
    cents: Cents

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
            due_on=date(2026, 12, 31),
            cents=8_050,
        )
