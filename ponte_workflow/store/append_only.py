"""What the database itself refuses to change or to forget: triggers keep it, and least-privilege roles follow it.

A test holds this table against the triggers that a migrated database really has, on both kinds.
"""

from typing import NamedTuple

from ponte_workflow.store.schema import metadata


class Kept(NamedTuple):
    """How a table is kept. open: the columns that may be changed; None: all. deletable: whether rows may go."""

    open: frozenset[str] | None = frozenset()
    deletable: bool = False

    def closed(self, table: str) -> tuple[str, ...]:
        """The columns that nobody changes, in the table's order."""
        if self.open is None:
            return ()
        return tuple(column.name for column in metadata.tables[table].columns if column.name not in self.open)


def _but(*columns: str) -> Kept:
    return Kept(frozenset(columns))


def _erasable(*columns: str) -> Kept:
    return Kept(frozenset(columns), deletable=True)


WHOLE, ROWS = Kept(), Kept(open=None)
KEPT: dict[str, Kept] = {
    # What happened, was seen, was paid, signed, sealed: written once.
    "access": WHOLE,
    "certificate": WHOLE,
    "emporio_entry": WHOLE,
    "handover_case": WHOLE,
    "history": WHOLE,
    "instalment_part": WHOLE,
    "letter_batch": WHOLE,
    "movement": WHOLE,
    "notice": WHOLE,
    "pagopa_receipt": WHOLE,
    "pathway_version": WHOLE,
    "plan_signature": WHOLE,
    # The same, but for a mark that is set later, and for texts that are sealed under a new key or erased.
    "break_glass": _but("reason", "until_at", "seen_by"),
    "consent": _but("withdrawn_on"),
    "contact_attempt": _but("retracted"),
    "delivery_event": _but("followed_at"),
    "evidence": _but("address", "subject", "body", "reply"),
    "fact": _but("retracted"),
    "handover": _but("undone_on", "undone_by"),
    "pec_mail": _but("state", "why", "raw", "settled_at", "settled_by", "note"),
    "plan_allocation": _but("until_on"),
    # A person's own words: erased with the person, sealed under a new key, otherwise left alone.
    "history_detail": _erasable("text"),
    "returned_mail": _erasable("raw"),
    "special_note": _erasable("text"),
    "vulnerability_flag": _erasable("detail"),
    "vulnerability_lift": _erasable("reason"),
    # Rows that have states of their own, and carry the once-only promises: no row goes.
    "import_file": ROWS,
    "instalment": ROWS,
    "letter": ROWS,
    "night": ROWS,
    "night_step": ROWS,
    "outbox": ROWS,
    "payment_plan": ROWS,
    "pec_sent": ROWS,
}
