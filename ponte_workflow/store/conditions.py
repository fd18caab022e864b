"""Conditions by which lists of cases are filtered; the most common ones are in store.cases."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import ColumnElement, and_, false, literal, not_, or_, select, true

from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.neighbourhood import dwelling, tenancy


def where_unassigned() -> ColumnElement[bool]:
    """Cases that nobody has yet."""
    return cases.c.assigned_to.is_(None)


def where_paused() -> ColumnElement[bool]:
    """Cases that stand still."""
    return cases.c.paused


def where_set_aside() -> ColumnElement[bool]:
    """Cases that the last night could not handle."""
    return cases.c.set_aside_on.is_not(None)


def where_building(building_id: int) -> ColumnElement[bool]:
    """Cases of homes in this building."""
    homes = select(tenancy.c.id).join(dwelling, dwelling.c.id == tenancy.c.dwelling_id)
    return cases.c.tenancy_id.in_(homes.where(dwelling.c.building_id == building_id))


def where_opened(first: date | None, last: date | None) -> ColumnElement[bool]:
    """Cases opened in that time (both ends included; None: open-ended): since when their arrears are known."""
    bounds = [cases.c.opened_on >= first] if first else []
    return and_(true(), *bounds, *([cases.c.opened_on <= last] if last else []))


def where_standing_in(leaves: Mapping[int, Collection[str]]) -> ColumnElement[bool]:
    """Cases with one of these leaf states, by pathway version (version id -> leaves)."""
    same: dict[frozenset[str], list[int]] = {}
    for version_id, names in leaves.items():
        same.setdefault(frozenset(names), []).append(version_id)
    spaced = literal(" ") + cases.c.configuration + literal(" ")
    rules = [
        and_(cases.c.pathway_version_id.in_(ids), or_(*(spaced.contains(f" {leaf} ") for leaf in sorted(names))))
        for names, ids in same.items()
        if names
    ]
    return or_(*rules) if rules else false()


def either(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """One of them."""
    return or_(false(), *conditions)


def both(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """All of them."""
    return and_(true(), *conditions)


def negated(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Not so."""
    return not_(condition)


def where_before(case_id: int) -> ColumnElement[bool]:
    """Cases opened before that one."""
    return cases.c.id < case_id


def where_ids(case_ids: Collection[int]) -> ColumnElement[bool]:
    """These cases."""
    return cases.c.id.in_(case_ids)
