"""Field encryption (MultiFernet) and the blind index (HMAC-SHA256) by which encrypted fields are searched."""

import hashlib
import hmac
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ponte_workflow.errors import BadConfiguration, WrongKey
from ponte_workflow.i18n import gettext as _


class FieldCipher:
    """Encrypts with the newest key, decrypts with any; the blind index uses the oldest, so that rotation keeps it."""

    def __init__(self, keys: list[str]) -> None:
        try:
            self._newest = Fernet(keys[0])
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise BadConfiguration(
                _("The field key is not a Fernet key (32 bytes, base64). Make one with: ponte db key")
            ) from error
        self._index_key = hashlib.sha256(b"ponte blind index\0" + keys[-1].encode()).digest()

    def encrypt(self, text: str) -> str:
        """The token for a plain text."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """The plain text of a token; `WrongKey` when no key opens it."""
        try:
            return self._fernet.decrypt(token.encode("ascii")).decode()
        except InvalidToken as error:
            raise WrongKey(_("The field key does not open this database: set PONTE_KEY or PONTE_KEY_FILE")) from error

    def is_newest(self, token: str) -> bool:
        """Whether the newest key opens it."""
        try:
            self._newest.decrypt(token.encode("ascii"))
        except InvalidToken:
            return False
        return True

    def reseal(self, token: str) -> str:
        """The same text under the newest key, with the moment at which it was first sealed."""
        try:
            return self._fernet.rotate(token.encode("ascii")).decode("ascii")
        except InvalidToken as error:
            raise WrongKey(_("The field key does not open this database: set PONTE_KEY or PONTE_KEY_FILE")) from error

    def blind_index(self, text: str) -> str:
        """Hex HMAC of the normalised text (upper case, no spaces): equal texts, equal index; nothing else is learnt."""
        return hmac.new(self._index_key, "".join(text.split()).upper().encode(), hashlib.sha256).hexdigest()


def new_key() -> str:
    """A new random key."""
    return Fernet.generate_key().decode("ascii")


def load_keys(value: str | None, path: Path) -> list[str]:
    """Keys from the environment's value, else from the file; refuses a key file that others may read."""
    if value:
        return [key.strip() for key in value.split(",") if key.strip()]
    if not path.is_file():
        raise BadConfiguration(
            _(
                "No field key: set PONTE_KEY, or bring back the key file {path}, without which nobody reads the encrypted "
                "fields. Only a new installation makes one: ponte db key"
            ).format(path=path)
        )
    if path.stat().st_mode & 0o077:
        raise BadConfiguration(_("Others can read the key file {path}: chmod 600 it").format(path=path))
    return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]


def add_key(path: Path) -> int:
    """Put a new key before those in the file, all or nothing; how many there are then."""
    keys = [new_key(), *load_keys(None, path)]
    partial = path.with_name(f".{path.name}.part")
    partial.touch(mode=0o600)
    partial.write_text("".join(f"{key}\n" for key in keys), encoding="ascii")
    partial.replace(path)
    return len(keys)


def make_key_file(path: Path) -> None:
    """Write a new key file with mode 600; an existing one is kept."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(new_key() + "\n", encoding="ascii")
