"""A database as rows that two runs of the same night must have in common, whoever ran it and in which order."""

import json
from typing import Any

from sqlalchemy import select

from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema import metadata
from ponte_workflow.store.schema.base import Moment

# Numbers given in the order of writing, what is drawn at random, and hashes over moments; the chains themselves are
# checked by `ponte audit verify`.
OURS_ALONE = {"id", "history_id", "outbox_id", "gathered_into", "night_id", "history_to", "claimed_by", "fence",
              "hash", "previous_hash", "history_head", "salt", "commitment", "attempts", "runner", "shard"}  # fmt: skip
# What schedules may make of messages meanwhile: whether one has left already says nothing about the night that queued it.
DELIVERY = {"evidence", "inbox", "alert", "delivery_event"}
ON_ITS_WAY = {"queued", "claimed", "sent", "failed"}
CERTIFIED = ("night", "replayed", "missed_nights", "ledgers", "fresh", "steps", "set_aside", "forgotten")


def rows_of(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Table -> its rows, sorted, without what differs from run to run."""
    found = {}
    with store.reading() as tx:
        for table in metadata.sorted_tables:
            if table.name in {"night_step", "key_check", *DELIVERY}:
                continue  # counts that the certificates have too; the key, sealed by whoever came first
            columns = [c for c in table.columns if c.name not in OURS_ALONE and not isinstance(c.type, Moment)]
            if table.name == "outbox":
                columns = [column for column in columns if column.name != "why"]
            rows = [
                tuple(_plain(table.name, value) for value in row) for row in tx.connection.execute(select(*columns))
            ]
            found[table.name] = sorted(rows, key=repr)
    return found


def _plain(table: str, value: Any) -> Any:
    if table == "outbox" and value in ON_ITS_WAY:
        return "on its way"
    if table == "certificate" and isinstance(value, str) and value.startswith("{"):
        content = json.loads(value)
        return json.dumps({name: content.get(name) for name in CERTIFIED}, sort_keys=True)
    return value
