"""Import of the landlord's files: dwellings and tenancies, the people of each household, ledgers.

The one service that is given the store and commits: a file of ten million movements goes in by chunks, each committed
together with its balances. It can do so because every row is idempotent by a unique key: an import that was killed is
completed by importing the same file again, and a file imported twice changes nothing.
"""

from ponte_workflow.services.importing.report import FileReport, ImportReport, Note
from ponte_workflow.services.importing.run import import_paths

__all__ = ["FileReport", "ImportReport", "Note", "import_paths"]
