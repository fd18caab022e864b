"""One row in each table that has none, parents first, whatever revision the database has: it is read from the database."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, insert, select

A_DAY, LATER = date(2026, 10, 5), date(2026, 11, 5)
A_MOMENT = datetime(2026, 10, 5, 9, tzinfo=UTC)


def reflected(connection: Connection) -> MetaData:
    """Every table as this database has it."""
    tables = MetaData()
    tables.reflect(connection)
    return tables


def fill(connection: Connection, names: Collection[str] | None = None) -> MetaData:
    """See to it that each of these tables (None: every table) has a row; returns the tables."""
    tables = reflected(connection)
    for name in sorted(tables.tables if names is None else names):
        if name != "alembic_version":
            a_row(connection, tables.tables[name])
    return tables


def a_row(connection: Connection, table: Table) -> Any:
    """The first row's key; a row is made when there is none."""
    (key, *_others) = table.primary_key.columns
    if (found := connection.execute(select(key).order_by(key).limit(1)).scalar()) is not None:
        return found
    return make(connection, table)


def make(connection: Connection, table: Table, **given: object) -> Any:
    """A new row with a value in each column that wants one."""
    values = {column.name: _value(connection, column) for column in table.columns if _is_wanted(column)} | given
    made = connection.execute(insert(table).values(values)).inserted_primary_key
    assert made is not None
    return made[0]


def _is_wanted(column: Column[Any]) -> bool:
    if column.primary_key and not column.foreign_keys:
        return column.table.name in ("running_balance", "ledger_month", "projection")
    return not column.nullable and column.server_default is None


def _value(connection: Connection, column: Column[Any]) -> object:
    for key in column.foreign_keys:
        return a_row(connection, key.column.table)
    kind = column.type.python_type
    if kind is bool:
        return False
    if kind in (int, Decimal):
        return 1
    if kind is datetime:
        return A_MOMENT
    if kind is date:
        return LATER if column.name in ("review_on", "until_on", "ends_on") else A_DAY
    return "{}" if column.name == "data" else "x"
