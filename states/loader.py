"""From YAML files to a checked pathway: find, lay overlays upon their base, validate, compile."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from states.document import PathwayDocument
from states.errors import Finding, PathwayError
from states.pathway import Pathway
from states.validation import validate
from states.yaml_source import KeyPath, Source, read_yaml

BUNDLED = Path(__file__).parent / "pathways"
# What an overlay may say though its base is silent: these hold names of a place, not steps of the journey.
OPEN_KEYS = (("creditors",), ("partners",), ("calendar", "closures"), ("detection",), ("quarter",), ("extends",))


def find(folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Name -> file of every pathway in Ponte's own folder and in further ones; a later folder wins."""
    files: dict[str, Path] = {}
    for folder in (BUNDLED, *folders):
        if not folder.is_dir():
            raise PathwayError(
                (Finding(str(folder), 1, "is no folder", "set PONTE_PATHWAYS to a folder of YAML files"),)
            )
        files.update({path.stem: path for path in sorted(folder.glob("*.yaml"))})
    return files


def load(path: Path, folders: Iterable[Path] = ()) -> Pathway:
    """The pathway of one file, its base found beside it or in the folders. `PathwayError` lists everything wrong."""
    folders = tuple(folders)
    return _bundled(path) if path.parent == BUNDLED and not folders else _load(path, folders)


@cache
def _bundled(path: Path) -> Pathway:
    return _load(path, ())  # a part of the program: it does not change while it runs


def _load(path: Path, folders: tuple[Path, ...]) -> Pathway:
    source = _merged(path, find(folders), ())
    document = _document(source)
    findings = validate(document, source)
    if findings:
        raise PathwayError(tuple(sorted(set(findings), key=lambda f: (f.file, f.line, f.what))))
    return Pathway(document, content_hash(document))


def load_all(folders: Iterable[Path] = ()) -> dict[str, Pathway]:
    """Every pathway that can be found, by name."""
    folders = tuple(folders)
    return {name: load(path, folders) for name, path in find(folders).items()}


@cache
def from_json(text: str) -> Pathway:
    """A pathway from the merged document that a case was pinned to; it was validated when it was first loaded."""
    document = PathwayDocument.model_validate_json(text)
    return Pathway(document, content_hash(document))


def canonical(document: PathwayDocument) -> str:
    """The merged document as JSON, always written the same way."""
    return json.dumps(document.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def content_hash(document: PathwayDocument) -> str:
    """SHA-256 of the canonical form, hex: two pathways with one hash are one pathway."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def _merged(path: Path, files: dict[str, Path], below: tuple[str, ...]) -> Source:
    source = read_yaml(path)
    base_name = source.data.get("extends")
    if base_name is None:
        return source
    beside = path.parent / f"{base_name}.yaml"
    base_path = beside if beside.is_file() else files.get(str(base_name))
    if base_path is None or path.stem in below:
        known = ", ".join(sorted(files))
        raise PathwayError(
            (source.finding(("extends",), f"extends {base_name!r}, which cannot be", f"one of: {known}"),)
        )
    base = _merged(base_path, files, (*below, path.stem))
    findings: list[Finding] = []
    _lay_upon(base, source, (), findings)
    if findings:
        raise PathwayError(tuple(findings))
    base.file = source.file
    return base


def _lay_upon(base: Source, overlay: Source, path: KeyPath, findings: list[Finding]) -> None:
    under = _at(base.data, path)
    for key, value in _at(overlay.data, path).items():
        here = (*path, key)
        known = key in under or any(here[: len(open_)] == open_ for open_ in OPEN_KEYS) or _is_optional(here)
        if not known:
            findings.append(
                overlay.finding(
                    here, f"touches {'.'.join(here)}, which the base has not", f"one of: {', '.join(under)}"
                )
            )
        elif isinstance(value, dict) and isinstance(under.get(key), dict):
            _lay_upon(base, overlay, here, findings)
        else:
            under[key] = value
            base.places.update({p: place for p, place in overlay.places.items() if p[: len(here)] == here})


def _is_optional(path: KeyPath) -> bool:
    """Keys with a default that the base need not spell out: an alarm's own figures, a state's stall limit."""
    return path[-1] in {"after", "every", "times", "unit", "stalls_after", "working_days_before"} or (
        len(path) > 1 and path[-2] in {"policies", "needs"}
    )


def _at(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    for key in path:
        data = data[key]
    return data


def _document(source: Source) -> PathwayDocument:
    try:
        return PathwayDocument.model_validate(source.data)
    except ValidationError as error:
        findings = []
        for problem in error.errors():
            path = tuple(str(part) for part in problem["loc"])
            mend = "remove it, or spell it right" if problem["type"] == "extra_forbidden" else "see states/document.py"
            findings.append(source.finding(path, f"{'.'.join(path)}: {problem['msg']}", mend))
        raise PathwayError(tuple(findings)) from error
