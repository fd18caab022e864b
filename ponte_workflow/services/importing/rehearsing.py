"""A rehearsal of an import: the real importer inside one transaction that is rolled back, so its counts are the truth."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ponte_workflow.services.importing.report import ImportReport
from ponte_workflow.services.importing.run import import_paths
from ponte_workflow.store.engine import Store, Transaction


@dataclass(frozen=True, slots=True)
class _Within(Store):
    """A store whose transactions are all the same one: chunks that would be committed are seen by the next, and end with it."""

    tx: Transaction

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The one transaction; whoever opened it ends it."""
        yield self.tx


def rehearse_import(store: Store, paths: Sequence[Path], *, at: datetime, rejects: Path) -> ImportReport:
    """What `import_paths` would do now; nothing is kept but the refused lines, in `rejects`. Other writers wait meanwhile."""
    with store.rehearsal() as tx:
        return import_paths(_Within(store.engine, store.cipher, tx), paths, at=at, rejects=rejects)
