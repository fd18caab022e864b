"""Tenancies on a supervisor's list, and which of them have a case."""

import json
from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, insert, select, update

from ponte_workflow.store.cases import where_in
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import listing
from ponte_workflow.store.schema.neighbourhood import building, dwelling, tenancy
from ponte_workflow.store.schema.network import quarter

BATCH = 5000


def keep(tx: Transaction, kind: str, wanted: Mapping[int, Mapping[str, int]], on: date) -> list[int]:
    """Make the open list of that kind exactly `wanted` (tenancy id -> figures); returns the tenancies newly listed."""
    rows = tx.connection.execute(
        select(listing.c.id, listing.c.tenancy_id, listing.c.first_on).where(
            listing.c.kind == kind, listing.c.ended_on.is_(None)
        )
    )
    known = {row.tenancy_id: row.id for row in rows}
    gone = [listing_id for tenancy_id, listing_id in known.items() if tenancy_id not in wanted]
    stay = [listing_id for tenancy_id, listing_id in known.items() if tenancy_id in wanted]
    for ids, values in ((gone, {"ended_on": on}), (stay, {"last_on": on})):
        for start in range(0, len(ids), BATCH):
            tx.connection.execute(update(listing).where(listing.c.id.in_(ids[start : start + BATCH])).values(**values))
    new = [tenancy_id for tenancy_id in wanted if tenancy_id not in known]
    # One that left the list and came back on the same day is the same listing.
    back = set(
        tx.connection.execute(
            select(listing.c.tenancy_id).where(
                listing.c.kind == kind, listing.c.first_on == on, listing.c.ended_on == on
            )
        ).scalars()
    )
    if again := [tenancy_id for tenancy_id in new if tenancy_id in back]:
        tx.connection.execute(
            update(listing)
            .where(listing.c.kind == kind, listing.c.first_on == on, listing.c.tenancy_id.in_(again))
            .values(ended_on=None)
        )
    values_ = [
        {
            "tenancy_id": t,
            "kind": kind,
            "first_on": on,
            "last_on": on,
            "figures": json.dumps(dict(wanted[t]), sort_keys=True),
        }
        for t in new
        if t not in back
    ]
    if values_:
        tx.connection.execute(insert(listing), values_)
    return new


def open_list(tx: Transaction, kinds: tuple[str, ...], quarter_ids: frozenset[int] | None) -> list[dict[str, object]]:
    """The open listings, the oldest first: kind, tenancy code, place, since, figures."""
    query = (
        select(
            listing.c.kind,
            tenancy.c.code,
            building.c.name,
            dwelling.c.stair,
            dwelling.c.unit,
            quarter.c.name.label("quarter"),
            listing.c.first_on,
            listing.c.figures,
        )
        .join(tenancy, tenancy.c.id == listing.c.tenancy_id)
        .join(dwelling, dwelling.c.id == tenancy.c.dwelling_id)
        .join(building, building.c.id == dwelling.c.building_id)
        .join(quarter, quarter.c.id == tenancy.c.quarter_id)
        .where(listing.c.ended_on.is_(None), listing.c.kind.in_(kinds))
        .order_by(listing.c.first_on, tenancy.c.code)
    )
    if quarter_ids is not None:
        query = query.where(tenancy.c.quarter_id.in_(quarter_ids))
    return [
        {
            "kind": r.kind,
            "tenancy": r.code,
            "place": f"{r.name} {r.stair}/{r.unit}",
            "quarter": r.quarter,
            "since": r.first_on,
            **json.loads(r.figures),
        }
        for r in tx.connection.execute(query)
    ]


def tenancies_with_a_case(tx: Transaction) -> dict[int, bool]:
    """Tenancy id -> whether one of its cases is open."""
    open_ = func.max(func.coalesce(cases.c.closed_on, date(9999, 1, 1)))
    rows = tx.connection.execute(select(cases.c.tenancy_id, open_.label("last")).group_by(cases.c.tenancy_id))
    return {row.tenancy_id: str(row.last).startswith("9999") for row in rows}


def open_cases_in(tx: Transaction, stage: str) -> list[tuple[int, int]]:
    """(case id, tenancy id) of the open cases in a stage."""
    rows = tx.connection.execute(
        select(cases.c.id, cases.c.tenancy_id).where(cases.c.closed_on.is_(None), where_in(stage))
    )
    return [(row.id, row.tenancy_id) for row in rows]


def monthly_cents(tx: Transaction, tenancy_id: int) -> int:
    """Monthly rent plus monthly service charges of a tenancy."""
    return int(
        tx.connection.execute(
            select(tenancy.c.rent_cents + tenancy.c.service_cents).where(tenancy.c.id == tenancy_id)
        ).scalar_one()
    )
