"""A personal plan is written and waits for its person."""

from typing import ClassVar, Self

from notifications.message import HouseholdMessage


class PipReadyToSign(HouseholdMessage):
    """A personal plan is written and waits for its person."""

    name: ClassVar[str] = "pip_ready_to_sign"

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
