"""A payment plan is in breach: letters stop and a human decides."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import CaseNotice, Cents


class PlanBreached(CaseNotice):
    """A payment plan is in breach: letters stop and a human decides."""

    name: ClassVar[str] = "plan_breached"

    since: date
    decide_by: date | None = None
    missed: tuple[tuple[date, Cents], ...]  # (due date, cents)

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            case_code="P-000123",
            household="Rossi",
            place="Torre Cimabue",
            what_to_do="scegliere: rinegoziare, scusare o inviare ad altro servizio",
            link="ponte case show P-000123",
            since=date(2026, 11, 20),
            decide_by=date(2026, 12, 4),
            missed=((date(2026, 9, 30), 8_050), (date(2026, 10, 31), 8_050)),
        )
