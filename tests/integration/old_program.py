"""The previous version at work: a process that knows the database as it is at its start, and writes, changes and reads on.

Run as `python -m tests.integration.old_program URL`; it says "working" after a first round over every table, goes on until
its standard input closes, and prints what failed.
"""

import json
import sys
import time
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection, Engine, Table, UniqueConstraint, insert, select, text, update

from ponte_workflow.store.append_only import KEPT, WHOLE
from ponte_workflow.store.engine import open_engine
from tests.integration.filling import A_DAY, A_MOMENT, LATER, reflected

_numbers = count(1)
AT_ONCE = 10.0  # seconds after which a statement counts as stopped: nothing in a small database takes that long
NOT_WRITTEN = {"alembic_version", "key_check"}


def rounds(engine: Engine, end: Event) -> dict[str, Any]:
    """Work through every table again and again; how many rounds, the longest statement, and each failure in a sentence.

    The last round begins after the end was asked for: whatever was done to the database by then, it meets all of it.
    """
    with engine.connect() as connection:
        tables = reflected(connection)
    done, longest, failed, last = 0, 0.0, [], False
    while not last:
        last = end.is_set()
        for table in tables.sorted_tables:
            if table.name in NOT_WRITTEN:
                continue
            begun = time.monotonic()
            try:
                with engine.begin() as connection:
                    _work(connection, table)
            except Exception as error:  # noqa: BLE001 - told to whoever started us
                failed.append(f"{table.name}: {type(error).__name__}: {str(error).splitlines()[0]}")
            longest = max(longest, time.monotonic() - begun)
        done += 1
        if done == 1:
            sys.stdout.write("working\n")
            sys.stdout.flush()
    return {"rounds": done, "longest": longest, "failed": sorted(set(failed)), "tables": len(tables.tables)}


def _work(connection: Connection, table: Table) -> None:
    key = fresh(connection, table)
    (first, *_rest) = table.primary_key.columns
    row = connection.execute(select(table).where(first == key)).mappings().first()
    assert row is not None
    if KEPT.get(table.name) is WHOLE:
        return
    plain = [c for c in table.columns if not c.primary_key and not c.foreign_keys]
    same = {column.name: row[column.name] for column in plain}
    if same:
        assert connection.execute(update(table).where(first == key).values(same)).rowcount == 1


def fresh(connection: Connection, table: Table) -> Any:
    """A new row with new parents: no two rows share anything that may be there once."""
    number = next(_numbers)
    values = {}
    for column in table.columns:
        if column.primary_key and not column.foreign_keys and table.name not in ("ledger_month", "running_balance"):
            if column.type.python_type is str:
                values[column.name] = f"x{number}"
            continue
        if column.nullable or (column.server_default is not None):
            continue
        values[column.name] = _value(connection, table, column, number)
    made = connection.execute(insert(table).values(values)).inserted_primary_key
    assert made is not None
    return made[0]


def _value(connection: Connection, table: Table, column: Any, number: int) -> object:
    for key in column.foreign_keys:
        return fresh(connection, key.column.table)
    kind = column.type.python_type
    if column.name in ("content", "data", "document"):
        return "{}"  # JSON, which migrations read
    if kind is str:
        length = getattr(column.type, "length", None) or 40
        return f"{number:x}x"[:length] if length > 2 else "x"[:length]
    if kind is bool:
        return False
    if kind.__name__ == "datetime":
        return A_MOMENT
    alone = column.primary_key or any(
        column.name in one.columns for one in table.constraints if isinstance(one, UniqueConstraint)
    )
    if kind.__name__ == "date":
        day = LATER if column.name in ("review_on", "until_on", "ends_on") else A_DAY
        return day + timedelta(days=number) if alone else day
    return number if alone else number % 500 + 1


def main() -> None:
    """Until the standard input closes."""
    engine = open_engine(sys.argv[1])
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET statement_timeout = '{int(AT_ONCE * 1000)}ms'"))
            connection.commit()
        engine.dispose()
    end = Event()
    Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
    sys.stdout.write(json.dumps(rounds(engine, end)) + "\n")
    engine.dispose()


if __name__ == "__main__":
    main()
