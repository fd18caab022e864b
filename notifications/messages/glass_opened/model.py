"""Somebody who may not see a case otherwise has opened it, with a reason."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Self

from notifications.message import CaseNotice, LookedUp, ReadWhenRendered


class GlassOpened(CaseNotice):
    """Somebody who may not see a case otherwise has opened it, with a reason."""

    name: ClassVar[str] = "glass_opened"

    opened_by: LookedUp
    organisation: LookedUp
    opened_at: Annotated[datetime, ReadWhenRendered()]
    until: Annotated[datetime, ReadWhenRendered()]
    reason: LookedUp

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            case_code="P-000123",
            household="Rossi",
            place="Torre Cimabue",
            what_to_do="parlarne con chi ha aperto il caso e segnare l'accesso come visto",
            link="/supervision/glass",
            opened_by="Bianca",
            organisation="La Rete",
            opened_at=datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
            until=datetime(2026, 11, 23, 15, 5, tzinfo=UTC),
            reason="Il nucleo è allo sportello e la collega è assente",
        )
