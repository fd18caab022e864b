"""The morning's digest: who waits, why, since when, and what to do, the most urgent first."""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, computed_field

from notifications.message import Part, ReadWhenRendered, StaffMessage, Text

URGENCY = {"escalate": 0, "remind": 1, "inform": 2}


class DigestRow(Part):
    """One case on the list. `waiting_days` are the days since `since`; `link` is a command or an address."""

    case_code: Text
    household: Text  # display name
    place: Text
    state: Text  # as it stands on screen
    why: Text
    since: date
    waiting_days: Annotated[int, Field(ge=0)]
    what_to_do: Text
    link: Text | None = None
    kind: Literal["escalate", "remind", "inform"] = "remind"


class StalledRow(Part):
    """A case on which nothing moves, told once."""

    case_code: Text
    household: Text
    place: Text
    waits_on: Text
    since: date
    days: Annotated[int, Field(ge=0)]


class LedgerNote(Part):
    """A creditor whose ledger is too old to detect by; None: none ever came."""

    creditor: Text
    newest_on: date | None


def _sorted(rows: tuple[DigestRow, ...]) -> tuple[DigestRow, ...]:
    return tuple(sorted(rows, key=lambda row: (URGENCY[row.kind], -row.waiting_days, row.case_code)))


Rows = Annotated[tuple[DigestRow, ...], AfterValidator(_sorted), ReadWhenRendered()]


class Digest(StaffMessage):
    """One mail a morning for each worker; rows are put in order here, whatever order they come in."""

    name: ClassVar[str] = "digest"

    on: date
    urgent: Rows = ()  # past its time: escalations, late
    today: Rows = ()
    soon: Rows = ()
    information: Rows = ()
    stalled: Annotated[tuple[StalledRow, ...], ReadWhenRendered()] = ()
    missed_nights: tuple[date, ...] = ()  # nights that were caught up since the last digest
    stale_ledger: Annotated[tuple[LedgerNote, ...], ReadWhenRendered()] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def to_do(self) -> int:
        """How many rows ask for something."""
        return len(self.urgent) + len(self.today) + len(self.soon)

    @classmethod
    def sample(cls) -> Self:
        """An invented one, with every section filled."""
        row = DigestRow(
            case_code="P-000123",
            household="Rossi Maria",
            place="Torre Cimabue, scala B",
            state="Da contattare",
            why="nessun contatto dopo 5 giorni lavorativi",
            since=date(2026, 11, 12),
            waiting_days=11,
            what_to_do="telefonare o passare, poi registrare il tentativo",
            link="ponte case show P-000123",
        )
        return cls(
            greeting="Anna",
            on=date(2026, 11, 23),
            urgent=(row, row.model_copy(update={"case_code": "P-000007", "kind": "escalate", "waiting_days": 3})),
            today=(row.model_copy(update={"case_code": "P-000124"}),),
            soon=(row.model_copy(update={"case_code": "P-000125", "link": None}),),
            information=(row.model_copy(update={"case_code": "P-000126", "kind": "inform"}),),
            stalled=(
                StalledRow(
                    case_code="P-000099",
                    household="Verdi Luca",
                    place="Smeraldo",
                    waits_on="agenzia per il lavoro",
                    since=date(2026, 10, 20),
                    days=34,
                ),
            ),
            missed_nights=(date(2026, 11, 21), date(2026, 11, 22)),
            stale_ledger=(LedgerNote(creditor="ALER", newest_on=date(2026, 10, 31)),),
        )
