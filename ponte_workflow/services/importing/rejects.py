"""The rejects file: refused lines in the form in which they came, to be mended and imported again."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from ponte_workflow.services.importing.formats import COLUMNS, REJECT_COLUMNS
from ponte_workflow.services.importing.readers import Line, SourceFile
from ponte_workflow.services.importing.report import FileReport


class Rejects:
    """Written beside and put in place at the end: an import done twice leaves one file, a killed one leaves the old."""

    def __init__(self, source: SourceFile, folder: Path, report: FileReport) -> None:
        self._columns = COLUMNS[source.kind]
        self._target = folder / f"{source.path.stem}.{source.kind}.rejects.csv"
        self._part = self._target.with_suffix(".part")
        self._report = report
        self._stream: TextIO | None = None
        self._writer: Any = None

    def refuse(self, line: Line, reason: str) -> None:
        """Count a line and keep it with its reason. Too few fields are filled up, too many stay for the eye to see."""
        number, fields, text = line
        self._report.refuse(number, reason)
        if self._writer is None:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch(mode=0o600)  # personal data
            self._stream = self._part.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._stream, delimiter=";", lineterminator="\r\n")
            self._writer.writerow((*self._columns, *REJECT_COLUMNS))
        self._writer.writerow((*self._original(fields, text), reason, number))

    def _original(self, fields: Sequence[str] | None, text: str) -> list[str]:
        width = len(self._columns)
        kept = [text] if fields is None else list(fields)
        if len(kept) == width + len(REJECT_COLUMNS):
            kept = kept[:width]  # from a rejects file: its old reason goes
        return kept + [""] * (width - len(kept))

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
        if kind is not None:
            self._part.unlink(missing_ok=True)
        elif self._stream is not None:
            self._part.replace(self._target)
            self._report.rejects = str(self._target)
        else:
            self._target.unlink(missing_ok=True)  # nothing left to mend
