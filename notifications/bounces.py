"""Mails that came back (RFC 3464): which message, whether for good, and what the server said. Pure."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from typing import Literal

from notifications.channels.envelope import without_addresses

Verdict = Literal["failed", "delayed", "delivered", "other"]
# Worst first: a report on several recipients is as bad as its worst line. Ours have one.
_ACTIONS: dict[str, Verdict] = {"failed": "failed", "delayed": "delayed", "delivered": "delivered"}
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)[ -]")
OURS = re.compile(rb"ponte\.(\d{9,18})\.([0-9a-f]{12})@([A-Za-z0-9.-]{1,190})")
LONGEST = 2_000_000  # bytes: a bounce with the whole of a message of ours is far below


class MalformedBounce(ValueError):
    """It says that it is a delivery report and cannot be read as one; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail says about one of ours. `other`: it is no delivery report (a holiday notice, an answer)."""

    verdict: Verdict
    message_id: str | None  # without angle brackets; None: it does not say which
    outbox_id: int | None  # the number inside our Message-ID
    status: str = ""  # enhanced status code, e.g. 5.1.1
    said: str = ""  # without addresses

    @property
    def wrong_address(self) -> bool:
        """Whether it says that nothing will ever arrive there: not a full mailbox, not a filter that took offence."""
        return self.verdict == "failed" and says_wrong_address(self.status)


def says_wrong_address(status: str | None) -> bool:
    """The same for a status code alone; a failure without a code counts, because nobody would look at it otherwise."""
    if not status:
        return True
    found = _STATUS.search(status)
    if found is None:
        return True
    kind, subject, detail = (int(part) for part in found.groups())
    if kind != 5:
        return False
    # 2.2 mailbox full, 2.3 mail too large, 3.x the server's own trouble, 6.x the content, 7.x a filter.
    return subject not in (3, 6, 7) and (subject, detail) not in ((2, 2), (2, 3))


def read(raw: bytes) -> Bounce:
    """What the mail says. Raises `MalformedBounce` for a report that is none; never anything else."""
    if len(raw) > LONGEST:
        raise MalformedBounce(f"larger than {LONGEST} bytes")
    if not raw.strip():
        raise MalformedBounce("empty")
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        reports = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
        is_report = mail.get_content_type() == "multipart/report" or bool(reports)
        found = _report(mail, reports, raw) if is_report else _plain(mail, raw)
    except MalformedBounce:
        raise
    # The parser of the standard library raises whatever its headers make it stumble over.
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise MalformedBounce(f"cannot be parsed: {type(error).__name__}") from error
    return found


def _report(mail: EmailMessage, reports: list[EmailMessage], raw: bytes) -> Bounce:
    if str(mail.get_param("report-type") or "").lower() == "disposition-notification":
        return Bounce("other", *_named(mail, raw))  # somebody's program says that the mail was read
    if not reports:
        raise MalformedBounce("a report without its delivery-status part")
    groups = [group for report in reports for group in _groups(report)]
    recipients = [group for group in groups if group.get("Action") or group.get("Status")]
    if not recipients:
        raise MalformedBounce("a delivery-status part without a line on any recipient")
    verdicts = [(_verdict(group), group) for group in recipients]
    for wanted in ("failed", "delayed", "delivered", "other"):
        for verdict, group in verdicts:
            if verdict == wanted:
                message_id, outbox_id = _named(mail, raw)
                return Bounce(verdict, message_id, outbox_id, _status(group), _said(group))
    raise MalformedBounce("a delivery-status part that says nothing")


def _plain(mail: EmailMessage, raw: bytes) -> Bounce:
    """No report: from an old server in its own words, or something else altogether."""
    sender = str(mail.get("Return-Path", "")).strip()
    author = str(mail.get("From", "")).lower()
    is_machine = sender == "<>" or "mailer-daemon" in author or "postmaster" in author
    automatic = str(mail.get("Auto-Submitted", "no")).lower()
    message_id, outbox_id = _named(mail, raw)
    if not is_machine or automatic.startswith("auto-replied"):
        return Bounce("other", message_id, outbox_id)
    text = raw.decode("utf-8", "replace")[:20_000]
    codes = _STATUS.search(text)
    if codes is not None:
        verdict: Verdict = "failed" if codes[1] == "5" else "delayed" if codes[1] == "4" else "other"
        return Bounce(verdict, message_id, outbox_id, codes[0])
    reply = _REPLY.search(text)
    if reply is None:
        return Bounce("other", message_id, outbox_id)
    return Bounce("failed" if reply[1].startswith("5") else "delayed", message_id, outbox_id, "", reply[1])


def _groups(report: EmailMessage) -> list[Message]:
    payload = report.get_payload()
    if isinstance(payload, list):
        return [group for group in payload if isinstance(group, Message)]
    # Some servers write it as text, in an encoding of their own.
    content = report.get_payload(decode=True)
    if not isinstance(content, bytes):
        return []
    return [message_from_bytes(part.strip()) for part in re.split(rb"\r?\n[ \t]*\r?\n", content) if part.strip()]


def _verdict(group: Message) -> Verdict:
    action = str(group.get("Action", "")).split("(")[0].strip().lower()
    status = _status(group)
    if action in ("relayed", "expanded"):
        return "other"
    if action in _ACTIONS:
        # Some say failed of what they will try again: the code knows better.
        return "delayed" if action == "failed" and status.startswith("4.") else _ACTIONS[action]
    return {"5": "failed", "4": "delayed", "2": "delivered"}.get(status[:1], "other")  # type: ignore[return-value]


def _status(group: Message) -> str:
    found = _STATUS.search(str(group.get("Status", ""))) or _STATUS.search(str(group.get("Diagnostic-Code", "")))
    return found[0] if found else ""


def _said(group: Message) -> str:
    return without_addresses(str(group.get("Diagnostic-Code", "")))


def _named(mail: EmailMessage, raw: bytes) -> tuple[str | None, int | None]:
    """Our Message-ID: of the mail that came back inside, else of what it refers to, else wherever it stands."""
    places: list[bytes] = []
    for part in mail.walk():
        if part is mail:
            continue
        places.append(str(part.get("Message-ID", "")).encode("utf-8", "replace"))
        if part.get_content_type() in ("text/rfc822-headers", "text/plain"):
            content = part.get_payload(decode=True)
            places += [content] if isinstance(content, bytes) else []
    for name in ("In-Reply-To", "References"):
        places.append(str(mail.get(name, "")).encode("utf-8", "replace"))
    for content in (*places, raw):
        found = OURS.search(content)
        if found is not None:
            return found[0].decode("ascii").rstrip("."), int(found[1])
    return None, None
