"""The versions of pathways to which cases are pinned."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, pathway_version


class PinnedVersion(NamedTuple):
    """One version of a pathway, with the cases pinned to it."""

    name: str
    version: int
    content_hash: str
    seen_at: datetime
    open_cases: int
    closed_cases: int


def pinned_versions(tx: Transaction) -> list[PinnedVersion]:
    """Every version that any case was ever pinned to, the newest first."""
    counted = (
        select(
            cases.c.pathway_version_id,
            func.count().filter(cases.c.closed_on.is_(None)).label("open"),
            func.count().filter(cases.c.closed_on.is_not(None)).label("closed"),
        )
        .group_by(cases.c.pathway_version_id)
        .subquery()
    )
    columns = (pathway_version.c[name] for name in ("name", "version", "content_hash", "seen_at"))
    rows = tx.connection.execute(
        select(*columns, func.coalesce(counted.c.open, 0), func.coalesce(counted.c.closed, 0))
        .outerjoin(counted, counted.c.pathway_version_id == pathway_version.c.id)
        .order_by(pathway_version.c.name, pathway_version.c.id.desc())
    )
    return [PinnedVersion(*row) for row in rows]
