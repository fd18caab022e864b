"""Receipts of certified mail (PEC), read from their daticert.xml. Pure: bytes in, a `Notice` or a `Malformed` out, never a crash.

A receipt is a signed mail made of a text for people, daticert.xml, and often the message it is about. Subject and text say
what they like: the state comes from daticert.xml. What lies inside an attached message is not looked at: anybody can write
that. The signature itself is not verified here; a certified mailbox holds no mail that its provider has not put into a signed
envelope, ordinary mail arrives as an attachment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from enum import StrEnum
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

LARGEST_XML = 1_000_000  # bytes; real ones have a few thousand, one for each of many recipients included
LONGEST = 200  # letters of an identifier
DEEPEST = 20  # parts inside parts


class Kind(StrEnum):
    """What a provider says (DM 2/11/2005 and its technical rules)."""

    ACCEPTED = "accettazione"
    NOT_ACCEPTED = "non-accettazione"
    TAKEN_IN_CHARGE = "presa-in-carico"
    DELIVERED = "avvenuta-consegna"
    CERTIFIED_MAIL = "posta-certificata"
    NOT_DELIVERED = "errore-consegna"
    LATE = "preavviso-errore-consegna"
    VIRUS = "rilevazione-virus"


class Trouble(StrEnum):
    """daticert.xml's @errore."""

    NONE = "nessuno"
    NO_RECIPIENT = "no-dest"
    NO_DOMAIN = "no-dominio"
    VIRUS = "virus"
    OTHER = "altro"


class Fault(StrEnum):
    """Why a mail is no receipt that can be read."""

    NOT_A_MAIL = "not a mail"
    NO_DATICERT = "no daticert.xml"
    TWO_DATICERTS = "more than one daticert.xml"
    TOO_LARGE = "daticert.xml is too large"
    FORBIDDEN_XML = "daticert.xml defines entities"
    UNREADABLE_XML = "daticert.xml cannot be read"
    UNKNOWN_KIND = "a kind of receipt that is not known"
    UNKNOWN_ERROR = "an error that is not known"
    MISSING = "something is missing in daticert.xml"
    BAD_DATE = "the date in daticert.xml cannot be read"
    TOO_LONG = "an identifier in daticert.xml is too long"
    DISAGREES = "the mail's header and daticert.xml speak of different messages"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a receipt says. `about`: the Message-ID of ours, without brackets; None where the provider gives none.

    `delivered_to`: the one recipient of an avvenuta-consegna; `status`: the code of errore-esteso, such as 5.1.1.
    """

    kind: Kind
    error: Trouble
    identifier: str
    at: datetime
    about: str | None
    sender: str
    recipients: tuple[str, ...]
    delivered_to: str | None = None
    form: str | None = None  # of an avvenuta-consegna: completa, breve, sintetica
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A mail that is no readable receipt. `place`: the element or attribute, never what it holds."""

    fault: Fault
    place: str = ""


class _Wrong(Exception):
    """Carries the fault to the front door."""

    def __init__(self, fault: Fault, place: str = "") -> None:
        super().__init__(fault)
        self.found = Malformed(fault, place)


def read(raw: bytes) -> Notice | Malformed:
    """The receipt that a raw mail is."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)  # the policy that takes any header as it comes
        if not mail.keys():
            return Malformed(Fault.NOT_A_MAIL)
        notice = _notice(_daticert(mail))
        named = _plain_id(str(mail.get("X-Riferimento-Message-ID") or ""))
        if named and notice.about and named != notice.about:
            return Malformed(Fault.DISAGREES, "X-Riferimento-Message-ID")
        return notice
    except _Wrong as wrong:
        return wrong.found
    except (MessageError, LookupError, ValueError, RecursionError):
        return Malformed(Fault.NOT_A_MAIL)


def header_kind(raw: bytes) -> str:
    """What the headers of a mail call it, for lists: X-Ricevuta, else X-Trasporto, else nothing; at most 40 letters."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        said = str(mail.get("X-Ricevuta") or mail.get("X-Trasporto") or "")
    except (MessageError, LookupError, ValueError, RecursionError):
        return ""
    return re.sub(r"[^a-z-]", "", said.lower())[:40]


def _daticert(mail: Message) -> bytes:
    found = list(_named(mail, 0))
    if not found:
        raise _Wrong(Fault.NO_DATICERT)
    if len(found) > 1:
        raise _Wrong(Fault.TWO_DATICERTS)
    content = found[0].get_payload(decode=True)
    if not isinstance(content, bytes) or not content.strip():
        raise _Wrong(Fault.NO_DATICERT)
    if len(content) > LARGEST_XML:
        raise _Wrong(Fault.TOO_LARGE)
    return content


def _named(part: Message, depth: int) -> Iterator[Message]:
    """The parts called daticert.xml of this mail, not of messages attached to it."""
    if part.get_content_type().startswith("message/") or depth > DEEPEST:
        return
    if part.is_multipart():
        for inner in part.get_payload():
            if isinstance(inner, Message):
                yield from _named(inner, depth + 1)
    elif (part.get_filename() or "").strip().lower() == "daticert.xml":
        yield part


def _notice(content: bytes) -> Notice:
    try:
        root = fromstring(content, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise _Wrong(Fault.FORBIDDEN_XML) from None
    except (ParseError, ValueError, LookupError):
        raise _Wrong(Fault.UNREADABLE_XML) from None
    if root.tag != "postacert":
        raise _Wrong(Fault.MISSING, "postacert")
    try:
        kind = Kind(root.get("tipo", "").strip())
    except ValueError:
        raise _Wrong(Fault.UNKNOWN_KIND, "postacert/@tipo") from None
    try:
        error = Trouble(root.get("errore", "nessuno").strip())
    except ValueError:
        raise _Wrong(Fault.UNKNOWN_ERROR, "postacert/@errore") from None
    about = _text(root, "dati/msgid")
    if about is None and kind is not Kind.CERTIFIED_MAIL:
        raise _Wrong(Fault.MISSING, "dati/msgid")
    delivered_to = _text(root, "dati/consegna")
    if kind is Kind.DELIVERED and delivered_to is None:
        raise _Wrong(Fault.MISSING, "dati/consegna")
    form = root.find("dati/ricevuta")
    status = re.search(r"\b[245]\.\d{1,3}\.\d{1,3}\b", _text(root, "dati/errore-esteso") or "")
    return Notice(
        kind,
        error,
        _needed(root, "dati/identificativo"),
        _moment(root),
        _plain_id(about) if about else None,
        _needed(root, "intestazione/mittente"),
        tuple(text for one in root.findall("intestazione/destinatari") if (text := (one.text or "").strip())),
        delivered_to,
        form.get("tipo", "").strip()[:20] or None if form is not None else None,
        status[0] if status else None,
    )


def _needed(root: Any, path: str) -> str:
    text = _text(root, path)
    if text is None:
        raise _Wrong(Fault.MISSING, path)
    return text


def _text(root: Any, path: str) -> str | None:
    found = root.find(path)
    text = "".join(found.itertext()).strip() if found is not None else ""
    if path != "dati/errore-esteso" and len(text) > LONGEST:
        raise _Wrong(Fault.TOO_LONG, path)
    return text or None


def _moment(root: Any) -> datetime:
    """data zona="+0100", giorno 24/11/2026, ora 09:30:00."""
    data = root.find("dati/data")
    if data is None:
        raise _Wrong(Fault.MISSING, "dati/data")
    day, hour, zone = _needed(root, "dati/data/giorno"), _needed(root, "dati/data/ora"), data.get("zona", "").strip()
    try:
        return datetime.strptime(f"{day} {hour} {zone}", "%d/%m/%Y %H:%M:%S %z")
    except (ValueError, OverflowError):
        raise _Wrong(Fault.BAD_DATE, "dati/data") from None


def _plain_id(text: str) -> str:
    """A Message-ID without brackets, blanks and folded lines."""
    return "".join(text.split()).strip("<>")
