"""What every step of the night works with."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.rights import SYSTEM
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.held import Held
from ponte_workflow.store.leases import Lease
from ponte_workflow.store.network import Directory, directory
from ponte_workflow.store.nights import StepCounts

Unit = Callable[[], AbstractContextManager[Transaction]]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the night does, or decided against, and why, in the language of the context.

    subject: what somebody may hold back before the night runs: "clock:CASE_ID:PERSON_ID:NAME" or "open:TENANCY_ID";
    None: it cannot be held. quarter_id: of the tenancy, where there is no case (yet) that says who may see it.
    """

    night: date
    step: str
    case: str | None
    what: str
    why: str
    done: bool = True  # False: decided against
    subject: str | None = None
    quarter_id: int | None = None
    held_by: str | None = None  # the name of whoever holds it back


@dataclass(frozen=True, slots=True)
class Night:
    """One night being run.

    unit: opens a transaction (a rehearsal gives the same one each time, and rolls it back in the end).
    report: told of every action; None when nobody listens.
    """

    id: int
    on: date
    at: datetime
    runner: str
    replayed: bool  # a missed night: its date is past, and no digest goes out
    unit: Unit
    pathways: Pathways
    ledger_max_age_days: int = 7
    batch_size: int = 1000
    shards: int = 1
    shard: int = 0  # the one in hand, while a step works
    lease_seconds: float = 60.0
    report: Callable[[Action], None] | None = None
    progress: Callable[[str, StepCounts], None] | None = None
    heartbeat: Callable[[], None] | None = None
    set_aside: dict[int, str] = field(default_factory=dict)  # case id -> code, in this process
    owed: list[Lease] = field(default_factory=list)  # leases to give back once the database is there again
    incidents: Counter[str] = field(default_factory=Counter)  # what has happened and is not written down yet
    books: list[Directory] = field(default_factory=list)  # the directory of this date, once it was read

    def mine(self, case_id: int) -> bool:
        """Whether a case is of the shard in hand."""
        return case_id % self.shards == self.shard

    @property
    def who(self) -> Occasion:
        """The night as an actor."""
        return Occasion(SYSTEM, self.on, self.at, self.pathways)

    def directory(self, tx: Transaction) -> Directory:
        """Who holds which role on this date, read once for a night: with many colleagues it is dear to read for each case."""
        if not self.books:
            self.books.append(directory(tx, self.on))
        return self.books[0]

    def tell(
        self,
        step: str,
        case: str | None,
        what: str,
        why: str,
        *,
        done: bool = True,
        subject: str | None = None,
        quarter_id: int | None = None,
    ) -> None:
        """Report an action, if somebody listens."""
        if self.report is not None:
            self.report(Action(self.on, step, case, what, why, done, subject, quarter_id))

    def tell_held(
        self, step: str, case: str | None, what: str, by: Held, *, subject: str, quarter_id: int | None = None
    ) -> None:
        """Report that somebody holds an action back."""
        if self.report is not None:
            why = _("held back by {name}: the night after does it").format(name=by.name)
            self.report(Action(self.on, step, case, what, why, False, subject, quarter_id, by.name))


class Skip(Exception):
    """A step has a reason not to run; it is said in the certificate."""
