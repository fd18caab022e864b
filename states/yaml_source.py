"""YAML read with the place of every key, so that a finding can name file and line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from states.errors import Finding, PathwayError

Place = tuple[str, int]  # file, line
KeyPath = tuple[str, ...]


@dataclass
class Source:
    """A document and where each of its keys stands."""

    file: str
    data: dict[str, Any]
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place:
        """The place of a key, or of the nearest one around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (self.file, 1))

    def finding(self, path: KeyPath, what: str, mend: str) -> Finding:
        """A finding about the key at `path`."""
        file, line = self.place(path)
        return Finding(file, line, what, mend)


DEEPEST = 60  # keys in keys; the pathway needs 15
# libyaml where the wheel has it: reading the base pathway takes 12 ms instead of 90.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Source:
    """Read one file; `PathwayError` names the line where it is no YAML, no mapping, or says a key twice."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PathwayError(
            (Finding(str(path), 1, f"cannot be read: {error}", "give a readable UTF-8 file"),)
        ) from error
    loader: Any = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        source = Source(name, {})
        if not isinstance(root, yaml.MappingNode):
            raise PathwayError((Finding(name, 1, "is not a mapping", "start with name:, version: and title:"),))
        source.data = _construct(loader, root, (), source)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PathwayError((Finding(name, line, f"is no YAML: {error.problem}", "mend the line"),)) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise PathwayError(
            (Finding(name, line, f"is no YAML: {error.reason}", "remove the control character"),)
        ) from error
    finally:
        if loader is not None:
            loader.dispose()
    return source


def _construct(loader: Any, node: yaml.Node, path: KeyPath, source: Source) -> Any:
    source.places[path] = (source.file, node.start_mark.line + 1)
    if len(path) > DEEPEST:
        finding = Finding(source.file, node.start_mark.line + 1, "is nested without end", "let no alias hold itself")
        raise PathwayError((finding,))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(loader.construct_object(key_node))
            if key in mapping:
                finding = Finding(source.file, key_node.start_mark.line + 1, f"says {key!r} twice", "keep one of them")
                raise PathwayError((finding,))
            mapping[key] = _construct(loader, value_node, (*path, key), source)
            source.places[(*path, key)] = (source.file, key_node.start_mark.line + 1)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, str(index)), source) for index, item in enumerate(node.value)]
    try:
        return loader.construct_object(node, deep=True)
    except ValueError as error:  # a timestamp with a thirteenth month, say
        finding = Finding(source.file, node.start_mark.line + 1, f"{node.value!r}: {error}", "mend the value")
        raise PathwayError((finding,)) from error
