"""Quarters, buildings, dwellings and tenancies, made and kept up to date from the landlord's list."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, bindparam, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.neighbourhood import building, dwelling, household, tenancy
from ponte_workflow.store.schema.network import quarter

_IN = 500  # values in one IN list


class DwellingRow(NamedTuple):
    """A dwelling as the list has it; building and quarter by name."""

    code: str
    building: str
    quarter: str
    address: str
    stair: str
    unit: str


class TenancyRow(NamedTuple):
    """A contract as the list has it; the day in ISO form, monthly amounts in cents."""

    code: str
    dwelling: str
    quarter: str
    starts_on: str
    rent_cents: int
    service_cents: int


@dataclass(slots=True)
class Places:
    """Quarters by name, and buildings by name with their quarter's name."""

    quarters: dict[str, int]
    buildings: dict[str, tuple[int, str]]

    def quarter_of_building(self, tx: Transaction, quarter_name: str, building_name: str) -> str:
        """The quarter in which the building lies; one not known yet is made in `quarter_name`."""
        if building_name not in self.buildings:
            if quarter_name not in self.quarters:
                code = slug(quarter_name)
                new = {"code": code, "name": quarter_name, "pathway": code}
                self.quarters[quarter_name] = _new(tx, quarter, new)
            lies = {"quarter_id": self.quarters[quarter_name], "name": building_name}
            self.buildings[building_name] = (_new(tx, building, lies), quarter_name)
        return self.buildings[building_name][1]


def slug(name: str) -> str:
    """San Polo -> san_polo: letters without accents, digits and underscores, 40 at most."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]


def load_places(tx: Transaction) -> Places:
    """All quarters and buildings: a town has some hundreds."""
    quarters = {row.name: row.id for row in tx.connection.execute(select(quarter.c.name, quarter.c.id))}
    rows = tx.connection.execute(select(building.c.name, building.c.id, quarter.c.name.label("quarter")).join(quarter))
    return Places(quarters, {row.name: (row.id, row.quarter) for row in rows})


def upsert(
    tx: Transaction, places: Places, dwellings: Sequence[DwellingRow], tenancies: Sequence[TenancyRow]
) -> tuple[int, int, int]:
    """New, changed and unchanged rows, a dwelling and its tenancy counted as one.

    A tenancy keeps its household for good: only a new one gets a household, under its own code.
    """
    homes = {
        row.code: {
            "building_id": places.buildings[row.building][0], "address": row.address,
            "stair": row.stair, "unit": row.unit,
        }
        for row in dwellings
    }  # fmt: skip
    outcome = {("dwelling", code): what for code, what in _upsert(tx, dwelling, homes).items()}
    dwelling_ids = ids_by_code(tx, dwelling, homes)
    there = ids_by_code(tx, tenancy, [row.code for row in tenancies])
    fresh = [row.code for row in tenancies if row.code not in there]
    known = ids_by_code(tx, household, fresh)
    if to_make := [{"code": code} for code in fresh if code not in known]:
        tx.connection.execute(insert(household), to_make)
    households = ids_by_code(tx, household, fresh)
    contracts: dict[str, dict[str, Any]] = {}
    for row in tenancies:
        contracts[row.code] = {
            "dwelling_id": dwelling_ids[row.dwelling], "quarter_id": places.quarters[row.quarter],
            "starts_on": date.fromisoformat(row.starts_on), "rent_cents": row.rent_cents,
            "service_cents": row.service_cents,
        }  # fmt: skip
        if row.code in households:
            contracts[row.code]["household_id"] = households[row.code]
    done = _upsert(tx, tenancy, contracts)
    lines = [outcome["dwelling", row.dwelling] if done[row.code] == "same" else done[row.code] for row in tenancies]
    let = {row.dwelling for row in tenancies}
    lines += [what for (_kind, code), what in outcome.items() if code not in let]
    return lines.count("new"), lines.count("changed"), lines.count("same")


def ids_by_code(tx: Transaction, table: Table, codes: Iterable[str]) -> dict[str, int]:
    """Code -> id of the rows of a table that are there."""
    return {row.code: row.id for row in _there(tx, table, list(codes), [table.c.id])}


def _upsert(tx: Transaction, table: Table, wanted: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Code -> new, changed or same."""
    if not wanted:
        return {}
    names = sorted({name for values in wanted.values() for name in values})
    found = {row.code: row._mapping for row in _there(tx, table, list(wanted), [table.c[name] for name in names])}
    outcome = {}
    for code, values in wanted.items():
        row = found.get(code)
        same = row is not None and all(row[name] == value for name, value in values.items())
        outcome[code] = "new" if row is None else "same" if same else "changed"
    fresh = [{"code": code, **wanted[code]} for code, what in outcome.items() if what == "new"]
    if fresh:
        tx.connection.execute(insert(table), fresh)
    for code, what in outcome.items():
        if what == "changed":
            tx.connection.execute(
                update(table).where(table.c.code == bindparam("the_code")).values(**wanted[code]), {"the_code": code}
            )
    return outcome


def _there(tx: Transaction, table: Table, codes: list[str], columns: list[Column[Any]]) -> list[Any]:
    rows: list[Any] = []
    for start in range(0, len(codes), _IN):
        rows += tx.connection.execute(
            select(table.c.code, *columns).where(table.c.code.in_(codes[start : start + _IN]))
        )
    return rows


def _new(tx: Transaction, table: Table, values: dict[str, Any]) -> int:
    made = tx.connection.execute(insert(table).values(values)).inserted_primary_key
    assert made is not None
    return int(made[0])
