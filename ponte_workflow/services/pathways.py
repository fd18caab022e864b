"""The pathways in use: the current ones from files, and those to which cases are pinned."""

from datetime import datetime
from pathlib import Path

from ponte_workflow.errors import BadConfiguration
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import casefile
from ponte_workflow.store.engine import Transaction
from states.detection import DetectionParameters
from states.errors import PathwayError
from states.loader import find, from_json, load
from states.pathway import Pathway


class Pathways:
    """Loaded on first use: a command that needs no pathway does not pay for it."""

    def __init__(self, folder: Path | None) -> None:
        self._folders = () if folder is None else (folder,)
        self._current: dict[str, Pathway] = {}
        self._pinned: dict[int, Pathway] = {}
        self._ids: dict[str, int] = {}

    def names(self) -> list[str]:
        """Every pathway that can be found."""
        try:
            return sorted(find(self._folders))
        except PathwayError as error:
            raise BadConfiguration(str(error)) from error

    def current(self, name: str) -> Pathway:
        """The pathway as its file stands now; refuses one that does not validate."""
        if name not in self._current:
            try:
                files = find(self._folders)
                if name not in files:
                    raise BadConfiguration(
                        _("No pathway is named {name}; there are: {names}").format(name=name, names=", ".join(files))
                    )
                self._current[name] = load(files[name], self._folders)
            except PathwayError as error:
                raise BadConfiguration(
                    _("The pathway does not validate:\n{findings}").format(findings=error)
                ) from error
        return self._current[name]

    def pinned(self, tx: Transaction, version_id: int) -> Pathway:
        """The pathway to which a case is pinned, whatever the files say today."""
        if version_id not in self._pinned:
            for known, document in casefile.pinned_documents(tx).items():
                if known not in self._pinned:
                    self._pinned[known] = from_json(document)
        return self._pinned[version_id]

    def pin(self, tx: Transaction, name: str, at: datetime) -> int:
        """The version id of the current pathway of that name; stored when it is new.

        Asked of the database each time: a rehearsal's answer is rolled back and must not be remembered.
        """
        pathway = self.current(name)
        document = pathway.document
        version_id = casefile.pin(
            tx,
            name=pathway.name,
            version=pathway.version,
            content_hash=pathway.content_hash,
            document=document.model_dump_json(),  # in the file's own order, which people read
            at=at,
        )
        self._pinned[version_id] = pathway
        return version_id

    def detection_parameters(self, pathways: dict[str, str]) -> dict[str, DetectionParameters]:
        """Quarter code -> detection parameters, from quarter code -> pathway name."""
        return {quarter: self.current(name).document.detection for quarter, name in pathways.items()}
