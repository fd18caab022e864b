"""The pathway documents as their files stand now: sound or not, and what each quarter's overlay changes in its base."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ponte_workflow.errors import BadConfiguration, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.versions import PinnedVersion, pinned_versions
from states.errors import Finding, PathwayError
from states.loader import BUNDLED, find, load
from states.pathway import Pathway

PERMISSION = "pathways.read"
# What tells a document from its base without changing anything in it.
_IDENTITY = ("name", "extends", "version")


@dataclass(frozen=True, slots=True)
class PathwayFile:
    """One document. `pathway` None: it must not be used, and `findings` say why."""

    name: str
    file: str
    bundled: bool
    pathway: Pathway | None
    findings: tuple[Finding, ...]
    running: str | None  # content hash with which this program works; None: with none
    versions: tuple[PinnedVersion, ...]

    @property
    def changed(self) -> bool:
        """Whether the file changed since the program read it."""
        return self.pathway is not None and self.running is not None and self.running != self.pathway.content_hash


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter that some overlay changes: its path, what it belongs to in words, the values as written."""

    path: str
    belongs_to: tuple[str, ...]  # labels of states and triggers around it
    base: str | None
    overlays: tuple[str | None, ...]  # None: not there


@dataclass(frozen=True, slots=True)
class Comparison:
    """A base and its overlays side by side, with what differs."""

    base: PathwayFile
    overlays: tuple[PathwayFile, ...]
    rows: tuple[Difference, ...]


def pathway_files(tx: Transaction, who: Occasion, folder: Path | None) -> tuple[PathwayFile, ...]:
    """Every document that can be found, in Ponte's own folder and in the one of the settings."""
    require(who.actor, PERMISSION)
    folders = () if folder is None else (folder,)
    pinned: dict[str, list[PinnedVersion]] = {}
    for one in pinned_versions(tx):
        pinned.setdefault(one.name, []).append(one)
    try:
        files = find(folders)
    except PathwayError as error:
        raise BadConfiguration(str(error)) from error
    return tuple(_look(who, name, path, folders, tuple(pinned.get(name, ()))) for name, path in sorted(files.items()))


def pathway_file(tx: Transaction, who: Occasion, folder: Path | None, name: str) -> PathwayFile:
    """One of them; `NotFound` when there is none of that name."""
    for one in pathway_files(tx, who, folder):
        if one.name == name:
            return one
    raise not_found(_("Pathway"), name)


def comparisons(files: tuple[PathwayFile, ...], language: str) -> tuple[Comparison, ...]:
    """Each base with the overlays upon it, those alone that may be used."""
    usable = {one.name: one for one in files if one.pathway is not None}
    found = []
    for base in usable.values():
        overlays = tuple(one for one in usable.values() if _document(one).extends == base.name)
        if overlays:
            found.append(Comparison(base, overlays, _differences(base, overlays, language)))
    return tuple(found)


def _look(
    who: Occasion, name: str, path: Path, folders: tuple[Path, ...], versions: tuple[PinnedVersion, ...]
) -> PathwayFile:
    pathway: Pathway | None = None
    findings: tuple[Finding, ...] = ()
    try:
        pathway = _load(path, folders, _stamp(folders))
    except PathwayError as error:
        findings = error.findings
    try:
        running = who.pathways.current(name).content_hash
    except BadConfiguration:
        running = None
    return PathwayFile(name, path.name, path.parent == BUNDLED, pathway, findings, running, versions)


@lru_cache(maxsize=64)
def _load(path: Path, folders: tuple[Path, ...], _stamps: tuple[tuple[str, int], ...]) -> Pathway:
    # Reading and checking one takes 50 ms; as long as no file of the folders changes, it is the same.
    return load(path, folders)


def _stamp(folders: tuple[Path, ...]) -> tuple[tuple[str, int], ...]:
    files = [path for folder in (BUNDLED, *folders) for path in sorted(folder.glob("*.yaml"))]
    return tuple((str(path), path.stat().st_mtime_ns) for path in files)


def _document(file: PathwayFile) -> Any:
    assert file.pathway is not None
    return file.pathway.document


def _differences(base: PathwayFile, overlays: tuple[PathwayFile, ...], language: str) -> tuple[Difference, ...]:
    below = dict(_flat(_document(base).model_dump(mode="json")))
    above = [dict(_flat(_document(one).model_dump(mode="json"))) for one in overlays]
    paths = dict.fromkeys(path for values in (below, *above) for path in values)
    rows = []
    for path in paths:
        values = tuple(one.get(path) for one in above)
        if path[0] not in _IDENTITY and any(value != below.get(path) for value in values):
            around = next(one for one, flat in zip((base, *overlays), (below, *above), strict=True) if path in flat)
            labels = _labels(_document(around).model_dump(mode="json"), path, language)
            rows.append(Difference(".".join(path), labels, below.get(path), values))
    return tuple(rows)


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every leaf with its path; what is not said (None, nothing in it) is no leaf."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif value is not None and value != []:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _labels(document: Any, path: tuple[str, ...], language: str) -> tuple[str, ...]:
    found = []
    for key in path[:-1]:
        document = document[key]
        label = document.get("label") if isinstance(document, Mapping) else None
        if isinstance(label, Mapping):
            found.append(str(label["en" if language == "en" else "it"]))
    return tuple(found)
