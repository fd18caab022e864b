"""`audit verify`: chains, personal parts, replay, certificates, balances, and the promise that nobody is forgotten."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.replaying import differences
from ponte_workflow.store import balances, cases, history, nights, promised, stalls
from ponte_workflow.store.engine import Transaction
from states.errors import StatesError

# What reading something that was tampered with may raise: the check must then tell it, not fail itself.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, StatesError)


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked (name -> how many) and what was found wrong, one sentence each."""

    checked: dict[str, int]
    found: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.found


def verify(tx: Transaction, pathways: Pathways, *, promises: bool = False) -> Report:
    """Check what must hold of histories, certificates and balances, and that nobody is forgotten.

    promises: also those about nights, messages and money (store/promised.py).
    """
    found = [f"case {b.case_id}, entry {b.seq}: {b.what}" for b in history.breaks(tx)]
    found += [f"case {b.case_id}, entry {b.seq}: {b.what}" for b in history.commitment_breaks(tx)]
    found += _as_far_as_it_can_be_read("certificates", nights.certificate_breaks(tx))
    found += [str(difference) for difference in balances.verify(tx)]
    codes = cases.all_codes(tx)
    entries = 0
    for code in codes:
        row = cases.by_code(tx, code)
        entries += row.history_length
        found += [f"{code}: {one}" for one in _as_far_as_it_can_be_read("history", differences(tx, pathways, row))]
    forgotten = stalls.forgotten(tx, by_the_last_night=True)
    found += [f"{code}: no clock is running and nobody was told" for code in forgotten]
    if promises:
        found += _as_far_as_it_can_be_read("promises", promised.broken(tx))
    checked = {"cases": len(codes), "history entries": entries, "certificates": nights.count(tx)}
    return Report(checked, found)


def _as_far_as_it_can_be_read(what: str, found: Iterable[str]) -> Iterator[str]:
    try:
        yield from found
    except _UNREADABLE as error:
        yield f"{what}: cannot be read further ({type(error).__name__})"
