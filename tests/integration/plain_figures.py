"""The figures of the pathway once more, read plainly from whole histories: slow, and easy to believe."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from math import ceil

from sqlalchemy import select, text

from ponte_workflow.services import projecting
from ponte_workflow.store import cases, history
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.figures import Figures
from ponte_workflow.store.schema.desk import stay

Spell = tuple[int, str, date, date | None]  # case id, state, entered, left


def project(tx: Transaction, *, limit: int = 2000) -> None:
    """Everything there is, in chunks of `limit` entries."""
    to = projecting.readable_to(tx, datetime(2026, 1, 1, tzinfo=UTC), all_of_it=True)
    while projecting.project(tx, to, limit=limit).more:
        pass


def stays(tx: Transaction) -> list[Spell]:
    rows = tx.connection.execute(select(stay.c.case_id, stay.c.state, stay.c.entered_on, stay.c.left_on))
    return sorted((tuple(row) for row in rows), key=str)


def everything(tx: Transaction) -> list[list[tuple[object, ...]]]:
    """The whole projection, but for surrogate keys."""
    columns = {
        "stay": "case_id, quarter_id, partner_id, state, entered_on, entered_seq, left_on, left_seq",
        "state_figures": "state, quarter_id, stays, median_days, p90_days",
        "month_flow": "month, quarter_id, state, entered",
        "projection": "name, history_to",
    }
    return [
        sorted((tuple(row) for row in tx.connection.execute(text(f"SELECT {some} FROM {table}"))), key=str)
        for table, some in columns.items()
    ]


def spells(tx: Transaction) -> list[Spell]:
    """The stays by plain reading of the histories: a line of configurations, from which an undo cuts the end."""
    found: list[Spell] = []
    for code in cases.all_codes(tx):
        case_id = cases.by_code(tx, code).id
        line: list[tuple[int, date, set[str]]] = []
        for entry in history.of_case(tx, case_id):
            if entry.kind == "undo":
                line = [one for one in line if one[0] < entry.data["undoes"]]
            elif entry.kind in ("opened", "step"):
                parts = [leaf.split(".") for leaf in entry.data["to"]]
                line.append((entry.seq, entry.on, {".".join(p[:n]) for p in parts for n in range(1, len(p) + 1)}))
        begun: dict[str, date] = {}
        for _seq, on, here in line:
            found += [(case_id, state, begun.pop(state), on) for state in sorted(begun.keys() - here)]
            begun |= dict.fromkeys(here - begun.keys(), on)
        found += [(case_id, state, on, None) for state, on in begun.items()]
    return sorted(found, key=str)


def plain_figures(tx: Transaction, on: date) -> dict[tuple[str, int], Figures]:
    """Medians and percentiles by sorting."""
    ended = defaultdict(list)
    for case_id, state, entered, left in spells(tx):
        if left is not None:
            ended[state, cases.by_id(tx, case_id).quarter_id].append((left, (left - entered).days))
    found = {}
    for key, all_of_them in ended.items():
        recent = [days for left, days in all_of_them if left >= on - timedelta(days=365)]
        days = sorted(recent if len(recent) >= 20 else [days for _left, days in all_of_them])
        found[key] = Figures(len(days), days[ceil(len(days) * 0.5) - 1], days[ceil(len(days) * 0.9) - 1])
    return found


def plain_flow(tx: Transaction) -> Counter[tuple[int, int, str]]:
    """First entries by month."""
    first: dict[tuple[int, str], date] = {}
    for case_id, state, entered, _left in spells(tx):
        first[case_id, state] = min(entered, first.get((case_id, state), entered))
    return Counter(
        (on.year * 12 + on.month - 1, cases.by_id(tx, case_id).quarter_id, state)
        for (case_id, state), on in first.items()
    )
