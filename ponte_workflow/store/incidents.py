"""What went wrong during a night and was mended by it, counted by name: the certificate says so."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.nights import night, night_step


def add(tx: Transaction, night_id: int, step: str, shard: int, happened: Mapping[str, int]) -> None:
    """Add to the counts of a step that has begun. Names and numbers only."""
    if not happened:
        return
    where = (night_step.c.night_id == night_id, night_step.c.step == step, night_step.c.shard == shard)
    known = tx.connection.execute(select(night_step.c.incidents).where(*where)).scalar()
    counts = Counter(json.loads(known or "{}")) + Counter(happened)
    tx.connection.execute(update(night_step).where(*where).values(incidents=json.dumps(counts, sort_keys=True)))


def of_night(tx: Transaction, night_id: int, at: datetime) -> dict[str, int]:
    """Name -> how often, over all steps.

    taken_up_again: how often a run went on where another had ended. clock_went_back: nights before this one that began
    later than `at`, the moment of this one.
    """
    counts: Counter[str] = Counter()
    attempts = tx.connection.execute(select(night.c.attempts).where(night.c.id == night_id)).scalar_one()
    counts["taken_up_again"] = attempts - 1
    begun_later = select(func.count()).where(night.c.id < night_id, night.c.started_at > at)
    counts["clock_went_back"] = tx.connection.execute(begun_later).scalar_one()
    for told in tx.connection.execute(
        select(night_step.c.incidents).where(night_step.c.night_id == night_id)
    ).scalars():
        counts.update(json.loads(told))
    return {name: count for name, count in sorted(counts.items()) if count > 0}
