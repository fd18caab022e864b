"""Small ledger files, written for one test."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ponte_workflow.services.importing import ImportReport, import_paths
from ponte_workflow.services.importing.formats import COLUMNS
from ponte_workflow.store.engine import Store

AT = datetime(2026, 11, 1, 2, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "data"


def bring_in(store: Store, *paths: Path, rejects: Path) -> ImportReport:
    return import_paths(store, paths, at=AT, rejects=rejects, progress=None)


def ledger_line(
    number: str = "1", *, code: str = "800001", item: str = "CANONE", creditor: str = "ALER",
    booked: str = "01/05/2026", due: str = "10/05/2026", charged: str = "", paid: str = "",
) -> str:  # fmt: skip
    return f"{number};{code};X;{item};{creditor};{booked};{due};PROVA;{charged};{paid};"


def write_ledger(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("\r\n".join([";".join(COLUMNS["ledger"]), *lines, ""]), encoding="cp1252", newline="")
    return path
