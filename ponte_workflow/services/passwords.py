"""Passwords: argon2id, at least twelve characters, none that everybody tries first."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _

SHORTEST, LONGEST = 12, 128
NAME_COUNTS = 4  # a username of three letters is part of too many words
# Judged without blanks, in lower case, also when repeated, between figures and signs, or with figures for letters.
COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())
_FIGURES = str.maketrans("0134578@$", "oieastbas")
# Memory-hard on purpose (64 MiB each): two at a time, the others wait, and a flood cannot take all memory.
_HASHER = PasswordHasher()
_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
# Somebody unknown costs the same time as somebody known.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def check_rules(password: str, username: str) -> None:
    """Refuse, with what to mend, a password that is short, long, the username, or one of the common ones."""
    password = _normal(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(
            _("A password has {low} to {high} characters: a few words in a row are easy to remember").format(
                low=SHORTEST, high=LONGEST
            )
        )
    plain = "".join(password.lower().split())
    bare = plain.strip("0123456789!?.*#-_")
    half = len(bare) // 2
    repeated = bool(bare) and any(bare == bare[:n] * (len(bare) // n) for n in range(1, half + 1) if not len(bare) % n)
    forms = {plain, bare, plain.translate(_FIGURES), bare.translate(_FIGURES)}
    if forms & COMMON or repeated or not bare or len(set(plain)) < 5:
        raise BadInput(_("This password is one of the first that others try: choose another"))
    if len(username) >= NAME_COUNTS and username.lower() in plain:
        raise BadInput(_("The password must not contain the username"))


def hash_password(password: str) -> str:
    """The argon2id hash; about 0.1 to 0.4 s on purpose."""
    return _POOL.submit(_HASHER.hash, _normal(password)).result()


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; without a hash the same time passes, and it is not."""
    plain = _normal(password[: LONGEST * 4])
    known = password_hash if len(plain) <= LONGEST else None
    try:
        return _POOL.submit(_HASHER.verify, known or _NOBODY, plain[:LONGEST]).result() and known is not None
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    # Keyboards differ in how they compose è: the same word must be the same password (NIST SP 800-63B).
    return unicodedata.normalize("NFKC", password)
