"""The import of one file in chunks, each its own transaction, with the record of how far it came."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.formats import COLUMNS, Refused
from ponte_workflow.services.importing.readers import Line, SourceFile, lines_of
from ponte_workflow.services.importing.rejects import Rejects
from ponte_workflow.services.importing.report import FileReport
from ponte_workflow.store import ledger
from ponte_workflow.store.engine import Store, Transaction

_CHUNK = 2000  # lines of dwellings or households in one transaction

Fields = tuple[int, list[str]]


@dataclass(slots=True)
class ImportOfFile:
    """What every importer needs: where lines come from, where refused ones go, which dates are possible."""

    store: Store
    source: SourceFile
    rejects: Rejects
    report: FileReport
    latest: date
    seen: Callable[[int], None] | None = None
    import_id: int = field(default=0, init=False)

    def begin(self, at: datetime) -> None:
        """Leave a record that the import began."""
        with self.store.transaction() as tx:
            self.import_id = ledger.open_import(
                tx, name=self.source.path.name, kind=self.source.kind, sha256=self.source.sha256, at=at
            )

    def record(self, tx: Transaction, *, complete: bool = False) -> None:
        """The counts so far, in the transaction of the rows they count."""
        report = self.report
        ledger.record_import(
            tx, self.import_id, read=report.read, new=report.new, known=report.known + report.changed,
            refused=report.refused, ledger_on=report.ledger_on, complete=complete,
        )  # fmt: skip

    def complete(self) -> None:
        """The record that all of the file was read."""
        with self.store.transaction() as tx:
            self.record(tx, complete=True)

    def lines(self) -> Iterator[Line]:
        """The lines of the file."""
        return lines_of(self.source, self.seen)

    def readable(self, line: Line) -> list[str]:
        """The fields of a line; `Refused` when their number is wrong or they hold bytes that are no text."""
        _number, fields, text = line
        if fields is None:
            raise Refused(_("a quotation mark is not closed"))
        if len(fields) != self.source.width:
            raise Refused(_("{n} columns instead of {wanted}").format(n=len(fields), wanted=self.source.width))
        if self.source.damaged and ("\ufffd" in text or "\0" in text):
            raise Refused(_("it holds bytes that are no text"))
        return fields[: len(COLUMNS[self.source.kind])]

    def take(self, importer: Callable[["ImportOfFile", Transaction, list[Line]], None]) -> None:
        """Hand the lines on, a chunk in a transaction."""
        lines = self.lines()
        while chunk := list(islice(lines, _CHUNK)):
            with self.store.transaction() as tx:
                self.report.read += len(chunk)
                importer(self, tx, chunk)
                self.record(tx)
