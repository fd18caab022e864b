"""Mails as .eml files in a folder: for the demo, and for towns that send them by another programme."""

import os
import re
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from notifications.channels.envelope import Envelope, Receipt, compose
from notifications.errors import ChannelDown


@dataclass(frozen=True, slots=True)
class FileChannel:
    """One file for each mail, readable by its owner only; names sort by time, then by message id."""

    folder: Path

    @property
    def name(self) -> str:
        """Kept with the evidence."""
        return "file"

    def send(self, envelope: Envelope) -> Receipt:
        """Write the mail; it appears whole or not at all. `ChannelDown` when the folder cannot be written."""
        mail = compose(envelope)
        local = re.sub(r"[^A-Za-z0-9._-]", "_", envelope.message_id.split("@")[0])
        name = f"{envelope.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{local}.eml"
        try:
            self._write(name, mail.as_bytes())
        except OSError as error:
            raise ChannelDown(f"cannot write into the mail folder: {error.strerror}") from error
        return Receipt(envelope.message_id, name, envelope.at)

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        with draft.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(self.folder / name)
