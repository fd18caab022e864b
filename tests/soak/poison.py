"""Cases that somebody broke by SQL: each is healed some days later, and nothing else may suffer meanwhile."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text

from ponte_workflow.store import casefile
from ponte_workflow.store.engine import Store
from tests.soak.journal import Journal
from tests.soak.plan import Fault

# What is broken: (table, column, nonsense).
WAYS = (
    ("clock", "name", "no_such_clock"),  # every night that rings it meets that; the others only now and then
    ("cases", "configuration", "nowhere.at_all"),
    ("fact", "value", "{"),
)
SOON = 25  # days: by then even ten missed nights and a stale ledger are over
# The case whose clock rings next, of those that are well.
NEXT = (
    "SELECT c.id, c.code, k.id AS clock, k.due_on, (SELECT max(f.id) FROM fact f WHERE f.case_id = c.id) AS fact "
    "FROM clock k JOIN cases c ON c.id = k.case_id "
    "WHERE c.closed_on IS NULL AND NOT c.paused AND k.due_on >= :on AND c.set_aside_on IS NULL "
    "ORDER BY k.due_on, k.id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class _Poison:
    table: str
    column: str
    row_id: int
    before: str
    nonsense: str
    case_id: int
    code: str
    until: date


class Poisons:
    """The poisoned cases of a run."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store, self.journal = store, journal
        self.here: list[_Poison] = []
        self.mended: list[tuple[date, str]] = []  # by when it has to be back among the others

    @property
    def codes(self) -> frozenset[str]:
        """The cases that are broken just now."""
        return frozenset(one.code for one in self.here)

    def put(self, fault: Fault, on: date) -> bool:
        """Break the case whose clock is due next, for two to five nights after that; False when there is none."""
        met_before = self.journal.met["case_poisoned"] > 0
        table, column, nonsense = WAYS[int(fault.size * len(WAYS)) if met_before else 0]
        with self.store.transaction() as tx:
            found = tx.connection.execute(text(NEXT), {"on": on}).first()
            if found is None or found.code in self.codes:
                return False
            if table == "fact" and found.fact is None:
                table, column, nonsense = WAYS[1]
            row_id = {"cases": found.id, "clock": found.clock, "fact": found.fact}[table]
            before = tx.connection.execute(text(f"SELECT {column} FROM {table} WHERE id = :id"), {"id": row_id})
            old = before.scalar_one()
            tx.connection.execute(
                text(f"UPDATE {table} SET {column} = :value WHERE id = :id"), {"value": nonsense, "id": row_id}
            )
        due = date.fromisoformat(str(found.due_on))
        until = max(due, on) + timedelta(days=2 + int(fault.size * 100) % 4)
        self.here.append(_Poison(table, column, row_id, old, nonsense, found.id, found.code, until))
        self.journal.fault(on, "case_poisoned", met=False, case=found.code, where=f"{table}.{column}", until=until)
        return True

    def heal(self, on: date, *, everything: bool = False) -> list[str]:
        """Put back what was there, where the time has come; the codes of the cases."""
        well = [one for one in self.here if everything or one.until <= on]
        for one in well:
            with self.store.transaction() as tx:
                aside = tx.connection.execute(
                    text("SELECT set_aside_on FROM cases WHERE id = :id"), {"id": one.case_id}
                ).scalar_one()
                tx.connection.execute(
                    text(f"UPDATE {one.table} SET {one.column} = :value WHERE id = :id AND {one.column} = :nonsense"),
                    {"value": one.before, "id": one.row_id, "nonsense": one.nonsense},
                )
            # It has met something when a night had to set the case aside.
            self.journal.fault(on, "case_poisoned", met=aside is not None, healed=one.code, set_aside_on=aside)
            if aside is not None:
                self.mended.append((on + timedelta(days=SOON), one.code))
        self.here = [one for one in self.here if one not in well]
        return [one.code for one in well]

    def still_aside(self, on: date) -> list[str]:
        """Cases that were healed some nights ago and are set aside all the same."""
        asked = [code for due, code in self.mended if due <= on and code not in self.codes]
        self.mended = [(due, code) for due, code in self.mended if due > on]
        with self.store.reading() as tx:
            aside = {case.code for case in casefile.now_set_aside(tx)}
        return [code for code in asked if code in aside]

    def explain(self, finding: str) -> bool:
        """Whether a finding is about a case that is poisoned."""
        return any(one.code in finding or re.search(rf"\bcase {one.case_id}\b", finding) for one in self.here)
