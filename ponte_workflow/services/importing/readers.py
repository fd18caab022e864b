"""A file as numbered lines of fields: its encoding found, its kind told from the header, quotes understood."""

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.formats import COLUMNS, kind_of

_BLOCK = 1 << 20
_QUOTED_LINES = 20  # a quoted field may hold line breaks; a stray quote must not swallow the file
_UNDEFINED = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))  # bytes without a character in cp1252

Line = tuple[int, list[str] | None, str]  # number of its first line, fields (None: cannot be split), the text


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file and what one pass over its bytes tells. `damaged`: it holds bytes that are no text."""

    path: Path
    kind: str
    header: tuple[str, ...]
    encoding: str
    sha256: str
    size: int
    damaged: bool

    @property
    def width(self) -> int:
        """How many columns a line has, reject columns included."""
        return len(self.header)


def look_at(path: Path) -> SourceFile:
    """Find kind and encoding; `BadInput` names the file and the columns that were expected."""
    encoding, sha256, damaged = _examine(path)
    with path.open(encoding=encoding, errors="replace", newline="\n") as stream:
        first = stream.readline(1 << 16).rstrip("\r\n")
    header = next(csv.reader([first], delimiter=";"), [])
    kind = kind_of(header)
    if kind is None:
        forms = "\n".join(f"  {name}: {';'.join(columns)}" for name, columns in COLUMNS.items())
        raise BadInput(
            _("{file}: the first line is not a header that Ponte knows. It must be one of:\n{forms}").format(
                file=path, forms=forms
            )
        )
    names = tuple(name.strip().upper() for name in header)
    return SourceFile(path, kind, names, encoding, sha256, path.stat().st_size, damaged)


def _examine(path: Path) -> tuple[str, str, bool]:
    """UTF-8 if every byte fits, else cp1252; a decoder that keeps state, since a letter may lie across two blocks."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    utf8, odd, nul = True, False, False
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            nul = nul or b"\0" in block
            odd = odd or any(byte in block for byte in _UNDEFINED)
            utf8 = utf8 and _fits(decoder, block, final=False)
    utf8 = utf8 and _fits(decoder, b"", final=True)
    return ("utf-8-sig" if utf8 else "cp1252"), digest.hexdigest(), nul or (odd and not utf8)


def _fits(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def lines_of(source: SourceFile, seen: Callable[[int], None] | None = None) -> Iterator[Line]:
    """Every line after the header that is not blank; `seen` is told the bytes read, now and then."""
    with source.path.open("rb") as raw:
        # Lines end with LF; a CR before it goes with the fields' end.
        stream = io.TextIOWrapper(raw, encoding=source.encoding, errors="replace", newline="\n")
        numbered = enumerate(stream, start=1)
        next(numbered)
        waiting: list[tuple[int, str]] = []
        while True:
            at = waiting.pop(0) if waiting else next(numbered, None)
            if at is None:
                return
            number, text = at
            if seen is not None and not number & 0x1FFF:
                seen(raw.tell())
            if '"' in text:
                yield _quoted(number, text, numbered, waiting)
            elif bare := text.rstrip("\r\n"):
                yield number, bare.split(";"), bare


def _quoted(number: int, text: str, numbered: Iterator[tuple[int, str]], waiting: list[tuple[int, str]]) -> Line:
    """A line with quotes, with those that follow while a quote is open; lines taken in vain go back to `waiting`."""
    taken: list[tuple[int, str]] = []
    whole = text
    while True:
        try:
            rows = list(csv.reader([whole.rstrip("\r\n")], delimiter=";", strict=True))
            return number, rows[0], whole.rstrip("\r\n")
        except csv.Error:
            following = (waiting.pop(0) if waiting else next(numbered, None)) if len(taken) < _QUOTED_LINES else None
            if following is None:
                waiting[:0] = taken
                return number, None, text.rstrip("\r\n")
            taken.append(following)
            whole += following[1]
