"""`audit verify`: chains, personal parts, replay, certificates, balances, and the promise that nobody is forgotten."""

from dataclasses import dataclass, field

from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.replaying import differences
from ponte_workflow.store import balances, cases, history, nights, stalls
from ponte_workflow.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked (name -> how many) and what was found wrong, one sentence each."""

    checked: dict[str, int]
    found: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.found


def verify(tx: Transaction, pathways: Pathways) -> Report:
    """Check everything that can be checked without leaving the database."""
    found = [f"case {b.case_id}, entry {b.seq}: {b.what}" for b in history.breaks(tx)]
    found += [f"case {b.case_id}, entry {b.seq}: {b.what}" for b in history.commitment_breaks(tx)]
    found += nights.certificate_breaks(tx)
    found += [str(difference) for difference in balances.verify(tx)]
    codes = cases.all_codes(tx)
    entries = 0
    for code in codes:
        row = cases.by_code(tx, code)
        entries += row.history_length
        found += [f"{code}: {difference}" for difference in differences(tx, pathways, row)]
    forgotten = stalls.forgotten(tx)
    found += [f"{code}: no clock is running and nobody was told" for code in forgotten]
    checked = {"cases": len(codes), "history entries": entries, "certificates": nights.count(tx)}
    return Report(checked, found)
