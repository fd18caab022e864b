"""One import: which files, in which order, and the record that is kept of each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.chunks import ImportOfFile
from ponte_workflow.services.importing.dwellings import take_dwellings
from ponte_workflow.services.importing.formats import ORDER
from ponte_workflow.services.importing.households import take_households
from ponte_workflow.services.importing.ledgers import LedgerReader
from ponte_workflow.services.importing.readers import SourceFile, look_at
from ponte_workflow.services.importing.rejects import Rejects
from ponte_workflow.services.importing.report import FileReport, ImportReport
from ponte_workflow.store.engine import Store

Progress = Callable[[str, int, int], None]


def import_paths(
    store: Store, paths: Sequence[Path], *, at: datetime, rejects: Path, progress: Progress | None = None
) -> ImportReport:
    """Import files and directories (their *.csv, not those of their subfolders), dwellings first, ledgers last.

    `at`: the aware moment of the import. `rejects`: the folder for lines to be mended. `progress`: told a file's name,
    the bytes read and the bytes in all. Raises `BadInput` for a path that is not there or a single file without a known
    header; in a directory such files are only named in the report. Every header is read before anything is imported.
    """
    sources, ignored = _gather(paths)
    files = [_import_file(store, source, at, rejects, progress) for source in sources]
    return ImportReport(files, ignored)


def _gather(paths: Sequence[Path]) -> tuple[list[SourceFile], list[Path]]:
    sources: dict[Path, SourceFile] = {}
    ignored = []
    for path in paths:
        if not path.exists():
            raise BadInput(_("{path} is not there: give a file or a directory").format(path=path))
        if not path.is_dir():
            sources[path.resolve()] = look_at(path)
            continue
        for inside in _files_in(path):
            try:
                sources[inside.resolve()] = look_at(inside)
            except BadInput:
                ignored.append(inside)
    if not sources:
        raise BadInput(_("No file to import in {paths}").format(paths=", ".join(map(str, paths))))
    return sorted(sources.values(), key=lambda source: (ORDER.index(source.kind), source.path)), ignored


def _files_in(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.iterdir()) if path.suffix.lower() == ".csv" and path.is_file())


def _import_file(store: Store, source: SourceFile, at: datetime, folder: Path, progress: Progress | None) -> FileReport:
    name = source.path.name
    report = FileReport(file=name, kind=source.kind, encoding=source.encoding)
    seen = None if progress is None else partial(_tell, progress, name, source.size)
    with Rejects(source, folder, report) as rejects:
        work = ImportOfFile(store, source, rejects, report, latest=_latest(at.date()), seen=seen)
        work.begin(at)
        if source.kind == "ledger":
            LedgerReader(work).take()
        elif source.kind == "households":
            work.take(take_households)
        else:
            work.take(take_dwellings)
        work.complete()
    report.refusals.sort(key=lambda note: note.line)  # what needs the database is found later than what does not
    if progress is not None:
        progress(name, source.size, source.size)
    return report


def _tell(progress: Progress, name: str, size: int, done: int) -> None:
    progress(name, done, size)


def _latest(on: date) -> date:
    # Months are opened up to the last movement: a slip such as 2206 would open two thousand of them.
    return date(on.year + 5, 12, 31)
