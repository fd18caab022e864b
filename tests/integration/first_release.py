"""A neighbourhood as the first released schema (0001) kept it: ten cases of its own demo, written by SQL at that revision.

`first_release.json.gz` holds the rows that the program of that revision had written (the demo with seed 2026 after eight
weeks; no encrypted field, no index). The histories are its own, word for word and hash for hash; nights, certificates,
running balances and encrypted fields are made here.
"""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text, update

from ponte_workflow.store import balances
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.history import FIRST, canonical
from tests.integration.filling import make, reflected

SEALED = {
    "staff": ("email",),
    "person": ("tax_code",),
    "contact": ("value",),
    "history_detail": ("text",),
    "evidence": ("address", "subject", "body"),
}
INDEXED = {"person": ("tax_code", "tax_code_index"), "contact": ("value", "value_index")}
STEPS = ("ledgers", "instalments", "detection", "clocks", "stalls", "digests")
LAST_NIGHT = date(2026, 11, 28)


def settle(connection: Connection, cipher: FieldCipher) -> None:
    """Fill an empty database of revision 0001."""
    tables = reflected(connection)
    content = json.loads(gzip.decompress(Path(__file__).with_suffix(".json.gz").read_bytes()))
    for name, rows in content.items():
        table = tables.tables[name]
        values = [_row(table, dict(zip(rows["columns"], row, strict=True)), cipher) for row in rows["rows"]]
        connection.execute(insert(table), values)
    _steps_and_certificates(connection, tables.tables)
    balances.add_movements_after(Transaction(connection, cipher), 0)
    entry = connection.execute(select(func.min(tables.tables["history"].c.id))).scalar_one()
    make(connection, tables.tables["special_note"], history_id=entry, case_id=1, text=cipher.encrypt("a note"))
    make(connection, tables.tables["access"], household_id=None, staff_id=1)
    if connection.dialect.name == "postgresql":
        for table in tables.tables.values():
            if "id" in table.columns and table.name != "alembic_version":
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                        f"coalesce((SELECT max(id) FROM {table.name}), 1))"
                    )
                )


def rows_of(connection: Connection) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """Table -> (its columns, every row): what an upgrade may add to and takes nothing from."""
    found = {}
    for name, table in reflected(connection).tables.items():
        if name != "alembic_version":
            columns = tuple(column.name for column in table.columns)
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = connection.execute(text(f'SELECT {listed} FROM "{name}"'))
            found[name] = (columns, sorted((tuple(row) for row in rows), key=repr))
    return found


def _row(table: Table, row: dict[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    plain = dict(row)
    for column in SEALED.get(table.name, ()):
        row[column] = cipher.encrypt(plain[column]) if plain[column] else plain[column]
    if table.name in INDEXED:
        source, index = INDEXED[table.name]
        row[index] = cipher.blind_index(plain[source]) if plain[source] else None
    return {name: _typed(table, name, value) for name, value in row.items()}


def _typed(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type.python_type
    if value is None or kind not in (bool, date, datetime):
        return value
    if kind is bool:
        return bool(value)
    return date.fromisoformat(value) if kind is date else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _steps_and_certificates(connection: Connection, tables: Any) -> None:
    """Each night with its steps and a certificate that seals the entries since the one before."""
    night, history = tables["night"], tables["history"]
    connection.execute(update(night).values(status="completed"))
    previous, after = FIRST, 0
    for row in connection.execute(select(night).order_by(night.c.business_on)).all():
        for step in (*STEPS, "certificate"):
            made = {"night_id": row.id, "step": step, "shard": 0, "status": "completed"}
            connection.execute(insert(tables["night_step"]).values(**made, looked_at=1, acted_on=0, set_aside=0))
        sealed = connection.execute(
            select(history.c.id, history.c.hash)
            .where(history.c.id > after, history.c["on"] <= row.business_on)
            .order_by(history.c.id)
        ).all()
        last = sealed[-1].id if sealed else after
        digest = hashlib.sha256("".join(f"{one.id}:{one.hash}\n" for one in sealed).encode()).hexdigest()
        content = canonical(
            {
                "attempts": 1,
                "forgotten": [],
                "fresh": True,
                "history": {"after_id": after, "digest": digest, "entries": len(sealed), "to_id": last},
                "ledgers": {"ALER": {"age_days": 3}},
                "missed_nights": [],
                "night": row.business_on.isoformat(),
                "nobody_to_tell": 0,
                "outbox": {"sent": 1},
                "replayed": False,
                "runner": row.runner,
                "set_aside": [],
                "steps": {
                    step: {"acted_on": 0, "looked_at": 1, "set_aside": 0, "status": "completed"} for step in STEPS
                },
            }
        )
        digest = hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()
        values = {"night_id": row.id, "content": content, "history_to": last, "previous_hash": previous, "hash": digest}
        connection.execute(insert(tables["certificate"]).values(values))
        previous, after = digest, last
