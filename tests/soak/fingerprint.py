"""What a run leaves, as one number for each table: rows are told by what they say, not by their keys or by the moment."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, select

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.base import Moment, metadata

TOKEN = "gAAAA"  # how Fernet begins
MAIL_SERVER = re.compile(r"127\.0\.0\.1:\d+")
# Chains of hashes over moments and salts; a kill adds an attempt and lets a step look at the same rows once more.
LEFT_OUT = {
    "cases": {"history_head"},
    "history": {"previous_hash", "hash", "commitment"},
    "history_detail": {"salt"},
    "night": {"attempts"},
    "night_step": {"looked_at", "claimed_by", "fence", "incidents"},
    "certificate": {"previous_hash", "hash", "history_to"},
    "key_check": {"token"},
}
# Of a certificate: what is said of the moment, of attempts, and of what was sealed.
OF_CERTIFICATES = ("attempts", "completed_at", "started_at", "history", "steps", "previous", "at", "incidents")


def fingerprint(store: Store) -> dict[str, tuple[int, str]]:
    """Table -> (rows, hash); equal for two runs that have come to the same end."""
    known: dict[str, dict[Any, str]] = {}
    found = {}
    with store.reading() as tx:
        for table in metadata.sorted_tables:
            rows = tx.connection.execute(select(table)).mappings().all()
            known[table.name] = {}
            digests = []
            for row in rows:
                digest = _digest(table, row, known, tx.cipher)
                if "id" in row:
                    known[table.name][row["id"]] = digest
                digests.append(digest)
            found[table.name] = (len(rows), sha256("".join(sorted(digests)).encode()).hexdigest()[:16])
    return found


def _digest(table: Table, row: Mapping[str, Any], known: dict[str, dict[Any, str]], cipher: FieldCipher) -> str:
    said = []
    for column in table.columns:
        value = row[column.name]
        if column.name == "id" or isinstance(column.type, Moment) or column.name in LEFT_OUT.get(table.name, ()):
            continue
        for key in column.foreign_keys:
            value = known.get(key.column.table.name, {}).get(value, "-" if value is None else "?")
        said.append(f"{column.name}={_plain(table.name, column.name, value, cipher)}")
    return sha256("\n".join(said).encode()).hexdigest()[:24]


def _plain(table: str, column: str, value: Any, cipher: FieldCipher) -> str:
    if not isinstance(value, str):
        return repr(value)
    if value.startswith(TOKEN):
        value = cipher.decrypt(value)
    if table == "certificate" and column == "content":
        content = json.loads(value)
        value = json.dumps({key: content[key] for key in sorted(content) if key not in OF_CERTIFICATES})
    return MAIL_SERVER.sub("mail", value)
