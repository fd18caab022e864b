"""The payment plan is signed; this is its calendar. A formal notice: it leaves once."""

from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, computed_field

from notifications.message import Cents, HouseholdMessage


class PlanSigned(HouseholdMessage):
    """The payment plan is signed; this is its calendar. A formal notice: it leaves once."""

    name: ClassVar[str] = "plan_signed"
    legal: ClassVar[bool] = True
    fits: ClassVar[frozenset[str]] = frozenset({"email", "pec", "letter"})  # a calendar is no SMS

    signed_on: date
    instalments: Annotated[tuple[tuple[date, Cents], ...], Field(min_length=1)]  # (due date, cents)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        """Cents of all instalments."""
        return sum(cents for _due, cents in self.instalments)

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Maria Rossi",
            worker="Anna Bianchi",
            partner="Cooperativa La Rete",
            office="via Cimabue 16, Brescia",
            phone="030 0000000",
            signed_on=date(2026, 11, 20),
            instalments=((date(2026, 12, 31), 8_050), (date(2027, 1, 31), 8_050), (date(2027, 2, 28), 8_050)),
        )
