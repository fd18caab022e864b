"""Backups: the whole database in one encrypted file, and back again, tried to its last byte before anything is written.

The file: a magic line, 16 bytes of salt, then pieces, each with its length (4 bytes) and sealed by AES-256-GCM under a
key made of the backup's secret (HKDF-SHA256). The number of the piece and whether it is the last are sealed with it, so
that no piece can be left out, moved or cut off unnoticed. The first piece is the description (JSON), the others the dump.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import dumps, migrate, restored
from ponte_workflow.store.dumps import PIECE, Progress
from ponte_workflow.store.engine import Store

MAGIC = b"PONTE BACKUP 1\n"
SCHEMA = migrate.HEAD
SALT, LENGTH, NONCE = 16, 4, 12
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Description:
    """What a backup holds. kind: sqlite or postgresql; schema: version of its tables; sha256: of the dump."""

    kind: str
    schema: str
    at: str
    bytes: int
    sha256: str


def write(
    store: Store, path: Path, secret: str, at: datetime, folder: Path, progress: Progress = lambda done, of: None
) -> Description:
    """Write a backup into a new file (mode 600); others go on working meanwhile. Nothing half written stays behind.

    folder: Ponte's own, where the dump lies in plain text until it is sealed: never beside the backups, which are copied
    to other machines. What a killed one has left there is removed.
    """
    cipher_of = _key_maker(secret)
    if path.exists():
        raise BadInput(_("{path} is there already: a backup never overwrites another one").format(path=path))
    path.parent.mkdir(parents=True, exist_ok=True)
    dumps.sweep(folder)
    partial = path.with_name(f".{path.name}.part")
    try:
        with dumps.dumped(store.engine, folder, progress) as dump:
            description = _describe(store, dump, at)
            dump.seek(0)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                _seal(out, cipher_of, description, dump)
                out.flush()
                os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return description


def describe(path: Path, secret: str) -> Description:
    """What is in a backup; every byte of it is read and must be whole. `BadInput` says what is wrong."""
    digest, size, description = hashlib.sha256(), 0, None
    for piece in _pieces(path, secret):
        if description is None:
            description = _description(piece)
        else:
            digest.update(piece)
            size += len(piece)
    if description is None or digest.hexdigest() != description.sha256 or size != description.bytes:
        raise BadInput(_("{path} is not whole: use another backup").format(path=path))
    return description


def restore(store: Store, path: Path, secret: str, folder: Path, at: datetime) -> Description:
    """Bring a backup into an empty database of the same kind. It is read to its end before anything is written.

    Nobody knows what left between that moment and `at`: messages to households and legal ones that wait in it, or that
    the nights of the lost days queue again, are held for a person to decide. What goes to staff may leave twice.
    """
    description = describe(path, secret)
    if description.kind != dumps.kind(store.engine):
        raise BadInput(
            _("The backup is of {theirs}, the database is {ours}: set PONTE_DATABASE_URL").format(
                theirs=description.kind, ours=dumps.kind(store.engine)
            )
        )
    if description.schema > migrate.HEAD:
        raise BadInput(_("The backup is of a newer Ponte (schema {version})").format(version=description.schema))
    dumps.sweep(folder)
    plain = dumps.plain(folder)
    try:
        with os.fdopen(os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            pieces = _pieces(path, secret)
            next(pieces)
            for piece in pieces:
                out.write(piece)
        dumps.load(store.engine, plain)
        with store.transaction() as tx:
            restored.mark(tx, datetime.fromisoformat(description.at), at)
    finally:
        plain.unlink(missing_ok=True)
    return description


def _describe(store: Store, dump: IO[bytes], at: datetime) -> Description:
    digest, size = hashlib.sha256(), 0
    while piece := dump.read(PIECE):
        digest.update(piece)
        size += len(piece)
    version = migrate.version(store.engine)
    if version is None:
        raise BadInput(_("The database is empty: there is nothing to keep"))
    return Description(dumps.kind(store.engine), version, at.isoformat(), size, digest.hexdigest())


def _seal(out: IO[bytes], cipher_of: Any, description: Description, dump: IO[bytes]) -> None:
    salt = secrets.token_bytes(SALT)
    cipher = cipher_of(salt)
    out.write(MAGIC + salt)
    fields = {name: getattr(description, name) for name in Description.__slots__}
    piece, number = json.dumps(fields, sort_keys=True).encode(), 0
    while True:
        following = dump.read(PIECE)
        sealed = cipher.encrypt(number.to_bytes(NONCE, "big"), piece, b"" if following else b"last")
        out.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
        if not following:
            return
        piece, number = following, number + 1


def _pieces(path: Path, secret: str) -> Iterator[bytes]:
    cipher_of = _key_maker(secret)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BadInput(_("{path} cannot be read: {why}").format(path=path, why=error.strerror)) from error
    with stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise BadInput(_("{path} is no backup of Ponte").format(path=path))
        cipher, number = cipher_of(stream.read(SALT)), 0
        sealed = _next(stream)
        while sealed is not None:
            following = _next(stream)
            try:
                yield cipher.decrypt(number.to_bytes(NONCE, "big"), sealed, b"last" if following is None else b"")
            except InvalidTag as error:
                why = (
                    _("the secret is another one, or the file is damaged") if number == 0 else _("the file is damaged")
                )
                raise BadInput(_("{path} cannot be opened: {why}").format(path=path, why=why)) from error
            sealed, number = following, number + 1


def _next(stream: IO[bytes]) -> bytes | None:
    head = stream.read(LENGTH)
    return stream.read(int.from_bytes(head, "big")) if len(head) == LENGTH else None


def _description(piece: bytes) -> Description:
    return Description(**json.loads(piece))


def _key_maker(secret: str) -> Any:
    if len(secret) < SHORTEST_SECRET:
        raise BadConfiguration(
            _("Set PONTE_BACKUP_SECRET, with at least {n} signs, and keep it where the backups are not").format(
                n=SHORTEST_SECRET
            )
        )

    def cipher(salt: bytes) -> AESGCM:
        if len(salt) != SALT:
            raise BadInput(_("The file ends in its head: it is no whole backup"))
        made = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"ponte backup").derive(secret.encode())
        return AESGCM(made)

    return cipher
