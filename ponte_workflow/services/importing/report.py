"""What an import did: counts for each file, the lines it refused, and what it noticed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

KEPT = 1000  # notes of each sort kept for the screen; the rejects file has them all


@dataclass(frozen=True, slots=True)
class Note:
    """One line of one file, and what is to be said about it."""

    file: str
    line: int
    text: str


@dataclass(slots=True)
class FileReport:
    """One file. `known`: rows that were there already, just so; `changed`: that were there, and are different now."""

    file: str
    kind: str
    encoding: str
    read: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    refused: int = 0
    ledger_on: date | None = None
    rejects: str | None = None
    refusals: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    warned: int = 0

    def refuse(self, line: int, reason: str) -> None:
        """Count a refused line."""
        self.refused += 1
        if len(self.refusals) < KEPT:
            self.refusals.append(Note(self.file, line, reason))

    def warn(self, line: int, text: str) -> None:
        """Note something about a line that was kept."""
        self.warned += 1
        if len(self.warnings) < KEPT:
            self.warnings.append(Note(self.file, line, text))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """A whole import. `ignored`: files in a directory that are none of ours."""

    files: Sequence[FileReport]
    ignored: Sequence[Path]

    def total(self, count: str) -> int:
        """The sum of one of the counts over all files."""
        return sum(getattr(one, count) for one in self.files)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        files = [asdict(one) | {"ledger_on": one.ledger_on and one.ledger_on.isoformat()} for one in self.files]
        return {"files": files, "ignored": [str(path) for path in self.ignored]}
