"""How people are reached in the demo: mails and SMS as files, wishes written down, some mails that come back, mended."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from notifications.channels import Channel
from notifications.channels.mailbox import FolderMailbox
from notifications.channels.sms import FileGateway, SmsChannel
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services import bouncing, contacts, reaching, sms_fates
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.choosing import Ways
from ponte_workflow.services.contacts import WRONG, Mended
from ponte_workflow.services.delivery import deliver
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store import cases, neighbours, tracking
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction

COMES_BACK = 0.04  # of the mails to households
ASKED = 0.03  # of the open cases of a day: somebody asks how they want to be written to
MENDED = 0.25  # of the wrong contacts of a day


def deliver_morning(ponte: Ponte, at: datetime, seed: int) -> None:
    """The messages of a morning, what became of the SMS, and the mails that came back."""
    channels = _channels(ponte)
    writer = replace(ponte.writer(), ways=Ways(frozenset(channels) - {"inbox"}))
    deliver(
        ponte.store,
        channels,
        writer,
        sender=ponte.settings.mail_from,
        courtesy=ponte.courtesy(),
        at=at,
        limit=1000,
        prices=ponte.prices,
    )
    later = at + timedelta(minutes=30)
    sms_fates.ask(ponte.store, ponte.sms_gateway or FileGateway(ponte.short_messages), at=later)
    _some_come_back(ponte, at, Random(f"{seed} back {at:%Y-%m-%d}"))
    bouncing.read(ponte.store, FolderMailbox(ponte.settings.folder / "bounces"), at=later)
    reaching.follow(ponte.store, ponte.pathways, at=later)


def ask_and_mend(ponte: Ponte, at: datetime, seed: int) -> None:
    """Case workers ask people how they want to be reached, and mend what does not work."""
    chance = Random(f"{seed} reach {at:%Y-%m-%d}")
    with ponte.store.transaction() as tx:
        for case_id in cases.open_ids(tx):
            row = cases.by_id(tx, case_id)
            asks, mends = chance.random() < ASKED, chance.random() < MENDED
            wrong = any(task.kind.startswith(WRONG) for task in cases.open_tasks(tx, (case_id,))) if mends else False
            if row.assigned_to is None or not (asks or wrong):
                continue
            worker = neighbours.username(tx, row.assigned_to) or ""
            who = Occasion(actor_of(tx, worker, at.date()), at.date(), at, ponte.pathways)
            _one(tx, who, row, chance, wrong=wrong)


def _one(tx: Transaction, who: Occasion, row: CaseRow, chance: Random, *, wrong: bool) -> None:
    for person in contacts.shown(tx, row, who.on):
        known = {one.kind: one for one in person.contacts}
        mail, phone = known["email"], known["phone"]
        if wrong and mail.wrong_on is not None:
            name, _at, domain = mail.value.partition("@")
            contacts.mend(tx, who, row.code, person.id, "email", Mended(f"{name}.nuovo@{domain}"))
        elif not wrong and phone.sms and not phone.preferred and chance.random() < 0.5:
            contacts.mend(tx, who, row.code, person.id, "phone", Mended(preferred=True, consent="yes"))
        elif not wrong and mail.value and mail.agreed is None:
            contacts.mend(tx, who, row.code, person.id, "email", Mended(consent="yes"))


def _channels(ponte: Ponte) -> dict[str, Channel]:
    found = dict(ponte.channels)
    found.setdefault("sms", SmsChannel(FileGateway(ponte.short_messages), ponte.settings.sms_from))
    return found


def _some_come_back(ponte: Ponte, since: datetime, chance: Random) -> None:
    folder = ponte.settings.folder / "bounces"
    folder.mkdir(exist_ok=True, mode=0o700)
    with ponte.store.transaction() as tx:
        left = tracking.left_for_households(tx, "email", since)
    for outbox_id, message_id in left:
        if chance.random() < COMES_BACK:
            (folder / f"{outbox_id:09d}.eml").write_bytes(_report(message_id))


def _report(message_id: str) -> bytes:
    """What a mail server writes about an address that it does not know (RFC 3464)."""
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example.org\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="parts"\r\n\r\n'
        "--parts\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--parts\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.org\r\n\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
        f"--parts\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\n\r\n--parts--\r\n"
    ).encode()
