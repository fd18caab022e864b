"""Ledgers have not come in: detection and instalments are skipped meanwhile."""

from datetime import date
from typing import Annotated, ClassVar, Self

from notifications.message import Part, ReadWhenRendered, StaffMessage, Text


class OldLedger(Part):
    """One creditor's ledger; `newest_on` is None when none ever came."""

    creditor: Text
    newest_on: date | None
    days_old: int | None


class StaleLedger(StaffMessage):
    """Ledgers have not come in: detection and instalments are skipped meanwhile."""

    name: ClassVar[str] = "stale_ledger"

    on: date
    max_age_days: int
    ledgers: Annotated[tuple[OldLedger, ...], ReadWhenRendered()]

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            on=date(2026, 11, 23),
            max_age_days=7,
            ledgers=(
                OldLedger(creditor="ALER", newest_on=date(2026, 10, 31), days_old=23),
                OldLedger(creditor="Amministratore condominiale", newest_on=None, days_old=None),
            ),
        )
