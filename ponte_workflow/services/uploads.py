"""Files that come in through the browser: kept apart, looked at, rehearsed, then imported or thrown away."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ponte_workflow.errors import BadInput, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.importing import import_paths
from ponte_workflow.services.importing.arriving import LARGE, Incoming, UploadedFile, check_name, take
from ponte_workflow.services.importing.mending import Mended, RejectedLine, RejectsFile, mend, rejected_lines, waiting
from ponte_workflow.services.importing.mending import waiting_file as _waiting_file
from ponte_workflow.services.importing.rehearsing import rehearse_import
from ponte_workflow.services.importing.report import FileReport, Note
from ponte_workflow.services.permissions import require
from ponte_workflow.store import access
from ponte_workflow.store.engine import Store
from ponte_workflow.store.imports import ImportedFile, imported_files
from ponte_workflow.store.ledger import ledger_dates
from ponte_workflow.store.people import households_of

PERMISSION = "import"
MOST_FILES = 10
KEPT = timedelta(days=2)
NOTES = 200  # refused lines and warnings that a page shows
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did to a file, or would do."""

    file: str
    read: int
    new: int
    changed: int
    known: int
    refused: int
    ledger_on: str | None
    refusals: tuple[tuple[int, str], ...]  # line, reason
    warnings: tuple[tuple[int, str], ...]
    rejects: str | None  # key of the rejects file


@dataclass(frozen=True, slots=True)
class Upload:
    """Files of one upload, with what the import would do (None: too large to be rehearsed here) or did."""

    id: str
    staff_id: int
    at: datetime
    folder: Path
    files: tuple[UploadedFile, ...]
    outcome: tuple[Outcome, ...] | None
    imported: bool
    paths: tuple[Path, ...] = field(default=())

    @property
    def large(self) -> bool:
        """Whether a request must not import it."""
        return sum(one.size for one in self.files) > LARGE


@dataclass(frozen=True, slots=True)
class Desk:
    """Where uploads and refused lines lie, and the store they go to."""

    store: Store
    uploads: Path
    rejects: Path


def overview(desk: Desk, who: Occasion, before: int | None, limit: int) -> tuple[list[ImportedFile], dict[str, Any]]:
    """The last imported files, and how fresh each creditor's ledger is (creditor -> newest booking date)."""
    require(who.actor, PERMISSION)
    with desk.store.reading() as tx:
        return imported_files(tx, limit, before), dict(ledger_dates(tx))


def receive(desk: Desk, who: Occasion, incoming: Sequence[Incoming]) -> Upload:
    """Keep files, recognise and rehearse them. `BadInput` says what is wrong with which; then nothing is kept."""
    require(who.actor, PERMISSION)
    _sweep(desk.uploads, who.at)
    if not incoming:
        raise BadInput(_("Choose at least one file"))
    if len(incoming) > MOST_FILES:
        raise BadInput(_("At most {n} files at once").format(n=MOST_FILES))
    for one in incoming:
        check_name(one.name)
    desk.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = desk.uploads / secrets.token_hex(16)
    folder.mkdir(mode=0o700)
    try:
        (folder / "files").mkdir(mode=0o700)
        taken: set[str] = set()
        files = [take(one, folder / "files", taken, desk.rejects) for one in incoming]
        upload = Upload(folder.name, who.actor.staff_id or 0, who.at, folder, tuple(files), None, False)
        if not upload.large:
            paths = [folder / "files" / one.stored for one in files]
            report = rehearse_import(desk.store, paths, at=who.at, rejects=folder / "rehearsal")
            upload = _with(upload, tuple(_outcome(one, files) for one in report.files), imported=False)
            shutil.rmtree(folder / "rehearsal", ignore_errors=True)
        _keep(upload)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return upload


def look(desk: Desk, who: Occasion, upload_id: str) -> Upload:
    """One's own upload; whoever is named in the rows on the page gets a trace of the view."""
    require(who.actor, PERMISSION)
    upload = _own(desk, who, upload_id)
    if not upload.imported:
        codes = {
            row[one.columns.index("COD_UTENTE")]
            for one in upload.files
            for row in one.rows
            if len(row) == len(one.columns)
        }
        _trace_households(desk, who, "import.preview", codes, f"upload:{upload.id[:8]}")
    return upload


def confirm(desk: Desk, who: Occasion, upload_id: str) -> Upload:
    """Import it for real; the files go, what the import did stays to be read for a while."""
    require(who.actor, PERMISSION)
    upload = _own(desk, who, upload_id)
    if upload.large:
        raise BadInput(_("These files are too large to be imported from here: use the console"))
    taken = upload.folder / "taken"
    try:
        (upload.folder / "files").rename(taken)  # whoever presses twice finds nothing the second time
    except FileNotFoundError:
        raise BadInput(_("These files were imported already")) from None
    try:
        paths = [taken / one.stored for one in upload.files]
        report = import_paths(desk.store, paths, at=who.at, rejects=desk.rejects)
    except BaseException:
        taken.rename(upload.folder / "files")
        raise
    keys = {one.path: one.key for one in waiting(desk.rejects)}
    outcome = tuple(_outcome(one, upload.files, keys) for one in report.files)
    upload = _with(upload, outcome, imported=True)
    _keep(upload)
    shutil.rmtree(taken, ignore_errors=True)
    counts = f"upload:{upload.id[:8]} new:{report.total('new')} refused:{report.total('refused')}"
    _trace(desk, who, "import.run", counts)
    return upload


def discard(desk: Desk, who: Occasion, upload_id: str) -> None:
    """Throw an upload away."""
    require(who.actor, PERMISSION)
    shutil.rmtree(_own(desk, who, upload_id).folder, ignore_errors=True)


def waiting_files(desk: Desk, who: Occasion) -> tuple[RejectsFile, ...]:
    """The files of refused lines that wait to be mended."""
    require(who.actor, PERMISSION)
    return waiting(desk.rejects)


def waiting_lines(
    desk: Desk, who: Occasion, key: str, first: int, count: int
) -> tuple[RejectsFile, tuple[RejectedLine, ...]]:
    """Some lines of a rejects file; whoever they are about gets a trace of the view."""
    require(who.actor, PERMISSION)
    file = _waiting_file(desk.rejects, key)
    lines = rejected_lines(file, first, count)
    place = file.columns.index("COD_UTENTE")
    _trace_households(desk, who, "import.rejects", {one.fields[place] for one in lines}, f"rejects:{key[:8]}")
    return file, lines


def mend_lines(
    desk: Desk, who: Occasion, key: str, version: str, lines: dict[int, Sequence[str]], drop: set[int]
) -> Mended:
    """Import mended lines of a rejects file, and leave out those to drop."""
    require(who.actor, PERMISSION)
    desk.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _scratch(desk.uploads) as scratch:
        done = mend(desk.store, desk.rejects, key, version, lines, drop, at=who.at, scratch=scratch)
    counts = f"rejects:{key[:8]} taken:{done.taken} refused:{done.refused} dropped:{done.dropped}"
    _trace(desk, who, "import.mend", counts)
    return done


def _outcome(report: FileReport, files: Sequence[UploadedFile], keys: dict[Path, str] | None = None) -> Outcome:
    shown = next(one.shown for one in files if one.stored == report.file)
    rejects = (keys or {}).get(Path(report.rejects)) if report.rejects else None
    return Outcome(
        shown, report.read, report.new, report.changed, report.known, report.refused,
        report.ledger_on.isoformat() if report.ledger_on else None,
        _notes(report.refusals), _notes(report.warnings), rejects,
    )  # fmt: skip


def _notes(notes: Sequence[Note]) -> tuple[tuple[int, str], ...]:
    return tuple((note.line, note.text[:500]) for note in notes[:NOTES])


def _with(upload: Upload, outcome: tuple[Outcome, ...], *, imported: bool) -> Upload:
    return Upload(upload.id, upload.staff_id, upload.at, upload.folder, upload.files, outcome, imported)


def _keep(upload: Upload) -> None:
    known = {
        "staff_id": upload.staff_id,
        "at": upload.at.isoformat(),
        "files": [asdict(one) | ({"rows": ()} if upload.imported else {}) for one in upload.files],
        "outcome": None if upload.outcome is None else [asdict(one) for one in upload.outcome],
        "imported": upload.imported,
    }
    part = upload.folder / "upload.part"
    part.touch(mode=0o600)
    part.write_text(json.dumps(known), encoding="utf-8")
    part.replace(upload.folder / "upload.json")


def _load(uploads: Path, upload_id: str) -> Upload:
    if not _ID.fullmatch(upload_id):
        raise _gone()
    folder = uploads / upload_id
    try:
        known = json.loads((folder / "upload.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _gone() from None
    files = tuple(
        UploadedFile(**one | {"columns": tuple(one["columns"]), "rows": tuple(tuple(row) for row in one["rows"])})
        for one in known["files"]
    )
    outcome = None if known["outcome"] is None else tuple(_read_outcome(one) for one in known["outcome"])
    at = datetime.fromisoformat(known["at"])
    paths = tuple(folder / "files" / one.stored for one in files)
    return Upload(upload_id, known["staff_id"], at, folder, files, outcome, known["imported"], paths)


def _read_outcome(known: dict[str, Any]) -> Outcome:
    notes = {name: tuple((line, text) for line, text in known[name]) for name in ("refusals", "warnings")}
    return Outcome(**known | notes)


def _own(desk: Desk, who: Occasion, upload_id: str) -> Upload:
    upload = _load(desk.uploads, upload_id)
    if upload.staff_id != who.actor.staff_id:
        raise _gone()
    return upload


def _gone() -> NotFound:
    return NotFound(_("This upload is not there any more: upload the file again"))


def _sweep(uploads: Path, at: datetime) -> None:
    """Personal data do not lie about: uploads that nobody confirmed go after a while."""
    if not uploads.is_dir():
        return
    for folder in uploads.iterdir():
        with suppress(OSError):
            if folder.stat().st_mtime < (at - KEPT).timestamp():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _scratch(uploads: Path) -> Iterator[Path]:
    folder = uploads / f"mending-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _trace(desk: Desk, who: Occasion, what: str, detail: str) -> None:
    with desk.store.transaction() as tx:
        access.record(tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=None, detail=detail)


def _trace_households(desk: Desk, who: Occasion, what: str, codes: set[str], detail: str) -> None:
    """A trace for each household that is named, so that its own data export can tell it; one without when none is known."""
    wanted = {code.strip() for code in codes if code.strip().isprintable() and len(code) <= 100}
    with desk.store.transaction() as tx:
        known = households_of(tx, wanted) if wanted else {}
        households: list[int | None] = [*sorted(set(known.values()))]
        for household_id in households or [None]:
            access.record(
                tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=household_id, detail=detail
            )
