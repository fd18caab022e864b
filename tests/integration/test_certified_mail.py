"""Certified mail over real servers: out through SMTP with TLS, back through IMAP; each receipt once, nothing lost."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import select

from notifications.channels.imap import Found, ImapMailbox, MailboxDown, Place
from notifications.pec_receipts import Kind
from notifications.registry import MESSAGES
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.config import Settings
from ponte_workflow.errors import BadConfiguration, BadInput, NotAllowed, NotFound
from ponte_workflow.services import certified_mail
from ponte_workflow.services.delivery import Resolution, Resolved
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import certified, tracking
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.outbox import ClaimedRow
from ponte_workflow.store.schema.messages import delivery_event
from ponte_workflow.store.schema.post import pec_mail, pec_sent
from tests.integration.certificates import certificate
from tests.integration.imap_server import PASSWORD, USER, imap_server, nonsense
from tests.integration.imap_server import Post as Box
from tests.integration.letter_cases import ANY_TIME, occasion
from tests.integration.mail_server import Post, free_port, mail_server
from tests.integration.outbox_rows import create_case, household_row, queue, row_of, run
from tests.pec_mails import TO, receipt
from tests.site import Site

__all__ = ["certificate"]
# aiosmtpd does not see that the line is encrypted from its first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[Box]:
    """One IMAP server for all tests; each reads on from where it stands."""
    with imap_server(certificate) as box:
        yield box


@pytest.fixture
def box(server: Box) -> Box:
    """Its line works."""
    server.cut_after, server.silent = None, False
    return server


def ponte(store: Store, home: Path, certificate: Path, **settings: object) -> Ponte:
    given = {"home": home, "pec_address": USER, "pec_password": PASSWORD, "pec_cafile": certificate, "pec_timeout": 3}
    return Ponte(Settings.model_validate(given | settings), store, Pathways(None))


@contextmanager
def provider(post: Post, certificate: Path) -> Iterator[int]:
    """An SMTP server with TLS from the first byte and a login."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)

    how = {"ssl_context": context, "auth_required": True, "authenticator": authenticate, "auth_require_tls": False}
    with mail_server(post, **how) as port:
        yield port


def to_pec(tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
    return Resolved(MESSAGES[row.message].sample(), "it", TO, had_contact_attempt=True)


def sent(store: Store, home: Path, certificate: Path, n: int = 1) -> list[tuple[int, str]]:
    """Messages that left as certified mail: (outbox row, Message-ID)."""
    here = create_case(store)
    numbers = queue(store, *(household_row(here, rule=f"rule{one}") for one in range(n)))
    post = Post()
    with provider(post, certificate) as port:
        channel = ponte(store, home, certificate, pec_smtp_host="127.0.0.1", pec_smtp_port=port).pec_channel()
        assert channel is not None
        assert run(store, channel, resolve=to_pec, courtesy=ANY_TIME).sent == n
    with store.transaction() as tx:
        ids = dict(tx.connection.execute(select(pec_sent.c.outbox_id, pec_sent.c.message_id)).tuples().all())
    for raw, number in zip(post.mails, numbers, strict=True):
        mail = message_from_bytes(raw, policy=policy.default)
        assert mail["From"] == USER and mail["To"] == TO and mail["Message-ID"] == f"<{ids[number]}>"
    return [(number, ids[number]) for number in numbers]


def told(store: Store, number: int) -> list[tuple[str, str | None]]:
    with store.transaction() as tx:
        return [(one.kind, one.detail) for one in tracking.of_messages(tx, [number]).get(number, [])]


def drained(store: Store, box: Box) -> None:
    """What earlier tests have left is behind us."""
    certified_mail.read(store, box.mailbox(), at=AT, limit=1000)


def test_a_message_leaves_over_tls_and_is_kept_word_for_word(store: Store, tmp_path: Path, certificate: Path) -> None:
    number, message_id = sent(store, tmp_path, certificate)[0]
    with store.transaction() as tx:
        raw = certified.sent_raw(tx, number)
        row = tx.connection.execute(select(pec_sent)).one()
        found = certified.by_message_id(tx, message_id)
    assert raw is not None and message_id.encode() in raw and TO not in row.address + row.raw
    assert found == certified.Sent(number, TO)
    assert row_of(store, number).status == "sent"


FATES = [
    pytest.param(Kind.ACCEPTED, "nessuno", ("accepted", "accettazione"), id="accepted"),
    pytest.param(Kind.NOT_ACCEPTED, "altro", ("refused", "non-accettazione altro"), id="not accepted"),
    pytest.param(Kind.TAKEN_IN_CHARGE, "nessuno", ("accepted", "presa-in-carico"), id="taken in charge"),
    pytest.param(Kind.DELIVERED, "nessuno", ("delivered", "avvenuta-consegna"), id="delivered"),
    pytest.param(Kind.NOT_DELIVERED, "no-dest", ("bounced", "errore-consegna no-dest"), id="not delivered"),
    pytest.param(Kind.LATE, "altro", ("unknown", "preavviso-errore-consegna altro"), id="late"),
    pytest.param(Kind.VIRUS, "virus", ("refused", "rilevazione-virus virus"), id="virus"),
]


@pytest.mark.parametrize(("kind", "errore", "fate"), FATES)
def test_each_receipt_finds_its_message_and_says_what_became_of_it(
    store: Store, tmp_path: Path, certificate: Path, kind: Kind, errore: str, fate: tuple[str, str]
) -> None:
    number, message_id = sent(store, tmp_path, certificate)[0]
    with store.transaction() as tx:
        found = Found(Place(1, 1), receipt(kind, about=message_id, errore=errore))
        assert certified_mail.take_in(tx, found, AT) == "matched"
    assert told(store, number) == [fate]


def test_a_mailbox_is_read_once_each_mail_kept_and_nothing_marked_as_read(
    store: Store, tmp_path: Path, certificate: Path, box: Box
) -> None:
    drained(store, box)
    (first, about), (second, other) = sent(store, tmp_path, certificate, 2)
    before = box.unread()
    plain = f"From: a@example.org\r\nSubject: hello\r\n\r\nplain mail {uuid4()}".encode()
    box.put(
        receipt(Kind.ACCEPTED, about=about, identifier=f"i1.{uuid4()}@x"),
        receipt(Kind.DELIVERED, about=about, identifier=f"i2.{uuid4()}@x"),
        plain,
        receipt(Kind.NOT_DELIVERED, about=other, errore="no-dest", identifier=f"i3.{uuid4()}@x"),
        receipt(Kind.ACCEPTED, about="never-sent@example.org", identifier=f"i4.{uuid4()}@x"),
        receipt(Kind.ACCEPTED, about=about, xml=f"<postacert {uuid4()}"),
        receipt(Kind.CERTIFIED_MAIL, about="theirs@pec.example.net", identifier=f"i5.{uuid4()}@x"),
        receipt(Kind.DELIVERED, about=other, to="another@pec.example.org", identifier=f"i6.{uuid4()}@x"),
    )
    assert certified_mail.read(store, box.mailbox(), at=AT) == certified_mail.Reading(read=8, matched=3, for_people=5)
    assert certified_mail.read(store, box.mailbox(), at=AT) == certified_mail.Reading()
    assert box.unread() == before + 8
    assert told(store, first) == [("accepted", "accettazione"), ("delivered", "avvenuta-consegna")]
    assert told(store, second) == [("bounced", "errore-consegna no-dest")]
    with store.transaction() as tx:
        waiting = certified.arrived(tx, certified.OPEN, limit=50)[-5:]
        stored = tx.connection.execute(select(pec_mail.c.raw)).scalars().all()
        assert certified.raw(tx, waiting[0].id) == plain
    assert [one.why for one in waiting] == [
        "no daticert.xml",
        certified_mail.UNMATCHED,
        "daticert.xml cannot be read",
        certified_mail.ANSWER,
        certified_mail.ANOTHER_ADDRESS,
    ]
    assert not any("postacert" in raw or "example.org" in raw for raw in stored), "kept encrypted"


def test_the_same_receipt_told_twice_counts_once(store: Store, tmp_path: Path, certificate: Path, box: Box) -> None:
    drained(store, box)
    number, about = sent(store, tmp_path, certificate)[0]
    raw = receipt(Kind.DELIVERED, about=about, identifier=f"once.{uuid4()}@x")
    box.put(raw, raw, raw.replace(b"per le persone", b"per le stesse persone"))
    found = certified_mail.read(store, box.mailbox(), at=AT)
    assert (found.read, found.for_people) == (3, 0)
    assert told(store, number) == [("delivered", "avvenuta-consegna")]
    with store.transaction() as tx:
        # The server counts anew (another folder, a restored backup): everything is read again, and nothing happens twice.
        certified.save_place(tx, box.mailbox().address, Place(7, 0))
    assert certified_mail.read(store, box.mailbox(), at=AT).matched == 0
    with store.transaction() as tx:
        assert len(tx.connection.execute(select(delivery_event)).all()) == 1


def test_a_line_that_breaks_half_way_loses_nothing(store: Store, tmp_path: Path, certificate: Path, box: Box) -> None:
    drained(store, box)
    number, about = sent(store, tmp_path, certificate)[0]
    kinds = (Kind.ACCEPTED, Kind.TAKEN_IN_CHARGE, Kind.DELIVERED)
    box.put(*(receipt(kind, about=about, identifier=f"{kind}.{uuid4()}@x") for kind in kinds))
    box.cut_after = 3500
    broken = certified_mail.read(store, box.mailbox(), at=AT)
    assert broken.down is not None and 0 < broken.read < 3
    box.cut_after = None
    rest = certified_mail.read(store, box.mailbox(), at=AT)
    assert rest.down is None and broken.read + rest.read == 3
    assert [kind for kind, _detail in told(store, number)] == ["accepted", "accepted", "delivered"]


def test_a_server_that_is_down_silent_or_refuses_delays_and_never_raises(store: Store, box: Box) -> None:
    wrong = certified_mail.read(store, box.mailbox(password="wrong"), at=AT)
    assert wrong.read == 0 and wrong.down is not None and "AUTHENTICATIONFAILED" in wrong.down
    box.silent = True
    begun = time.monotonic()
    slow = certified_mail.read(store, box.mailbox(timeout=1), at=AT)
    assert slow.down is not None and "timed out" in slow.down and time.monotonic() - begun < 10
    nobody = box.mailbox()
    down = certified_mail.read(store, type(nobody)("127.0.0.1", free_port(), USER, PASSWORD, timeout=2), at=AT)
    assert down.down is not None and "ConnectionRefused" in down.down and USER not in down.down


def test_a_mail_that_is_too_large_is_listed_by_its_headers(store: Store, box: Box) -> None:
    drained(store, box)
    box.put(receipt(Kind.ACCEPTED, about=f"{uuid4()}@y", extra=f"<altro>{'x' * 60_000}</altro>"))
    assert certified_mail.read(store, box.mailbox(largest=20_000), at=AT).for_people == 1
    with store.transaction() as tx:
        one = certified.arrived(tx, certified.OPEN, limit=50)[-1]
        raw = certified.raw(tx, one.id)
    assert (one.why, one.kind, one.whole) == (certified_mail.LARGE, "accettazione", False)
    assert raw is not None and b"X-Ricevuta" in raw and b"xxxx" not in raw


def test_a_mailbox_of_nonsense_is_told_and_never_raises(store: Store, certificate: Path) -> None:
    for answers in (
        [b"hello\r\n"],
        [b"* OK hi\r\n", b"* CAPABILITY IMAP4rev1\r\n1 OK\r\n", b"\xff\xfe\r\n" * 50],
        [b"* BYE go away\r\n"],
        [b""],
    ):
        with nonsense(certificate, answers) as port:
            mailbox = ImapMailbox("127.0.0.1", port, USER, PASSWORD, timeout=2, cafile=certificate)
            assert certified_mail.read(store, mailbox, at=AT).down is not None


def test_one_mail_that_nobody_thought_of_does_not_keep_the_others_waiting(store: Store) -> None:
    class Odd:
        address = "nowhere/INBOX"

        def since(self, place: Place) -> Iterator[Found]:
            for number, raw in enumerate((b"\x00" * 50, b"", b"\xff\xfe" * 2000, b"From: x\r\n\r\n"), 1):
                if number > place.uid:
                    yield Found(Place(1, number), raw)
            raise MailboxDown("hung up")

    found = certified_mail.read(store, Odd(), at=AT)
    assert (found.read, found.for_people, found.down) == (4, 4, "hung up")
    assert certified_mail.read(store, Odd(), at=AT).read == 0


def test_what_waits_is_for_the_lead_who_says_what_was_done(site: Site) -> None:
    store = site.ponte.store
    with store.transaction() as tx:
        certified_mail.take_in(tx, Found(Place(1, 1), b"From: a@b\r\n\r\nhello"), AT)
        lidia, sara = occasion(site.team, tx, "lidia"), occasion(site.team, tx, "sara")
        with pytest.raises(NotAllowed):
            certified_mail.mails(tx, sara)
        with pytest.raises(NotAllowed):
            certified_mail.raw(tx, sara, 1)
        one = certified_mail.mails(tx, lidia).rows[0]
        assert certified_mail.raw(tx, lidia, one.id) == b"From: a@b\r\n\r\nhello"
        with pytest.raises(BadInput, match="what was done about it"):
            certified_mail.settle(tx, lidia, one.id, " ")
        certified_mail.settle(tx, lidia, one.id, "answered by phone")
        with pytest.raises(NotFound):
            certified_mail.settle(tx, lidia, one.id, "once more")
        shown = certified_mail.mails(tx, lidia, "settled")
    assert shown.counts == {"open": 0, "matched": 0, "settled": 1}
    assert (shown.rows[0].note, shown.rows[0].settled_by) == ("answered by phone", "lidia")


def test_half_a_setting_is_refused_with_the_other_half(store: Store, tmp_path: Path) -> None:
    for settings in ({"pec_smtp_host": "x"}, {"pec_imap_host": "x"}):
        half = Ponte(Settings.model_validate({"home": tmp_path, **settings}), store, Pathways(None))
        with pytest.raises(BadConfiguration, match="PONTE_PEC_ADDRESS and PONTE_PEC_PASSWORD"):
            half.pec_channel() if "pec_smtp_host" in settings else half.pec_mailbox()
    none = Ponte(Settings.model_validate({"home": tmp_path}), store, Pathways(None))
    assert none.pec_channel() is None and none.pec_mailbox() is None


def test_a_provider_that_is_down_delays_the_message(store: Store, tmp_path: Path, certificate: Path) -> None:
    number = queue(store, household_row(create_case(store)))[0]
    made = ponte(store, tmp_path, certificate, pec_smtp_host="127.0.0.1", pec_smtp_port=free_port()).pec_channel()
    assert made is not None
    report = run(store, made, resolve=to_pec)
    assert report.down and row_of(store, number).status == "queued"
