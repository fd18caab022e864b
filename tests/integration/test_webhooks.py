"""Events for other programs: each once, signed, tried again, never a message to people, never into the own network."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from notifications.channels.webhook import WebhookChannel, is_public
from notifications.errors import SendLater, SendNever
from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.services import approving, undoing, webhooks
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.delivery import BACK_OFF
from ponte_workflow.services.rights import actor_of
from ponte_workflow.services.webhooks import EventReport
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.schema.messages import evidence, outbox
from tests.builders import MONDAY, Team, create_team
from tests.integration.outbox_rows import Tray, resolve, run
from tests.integration.receiver import Receiver, receiving
from tests.integration.standing_cases import walk

AT = datetime(2026, 11, 2, 11, 5, tzinfo=UTC)  # five minutes after the builders' steps of that day
INSIDE = WebhookChannel(private=True)


@pytest.fixture
def team(store: Store) -> Team:
    return create_team(store)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as one:
        yield one


def administrator(team: Team, tx: Transaction) -> Occasion:
    """Somebody with the right to look after integrations: the system has all."""
    return team.occasion(tx, None)


def listen(store: Store, team: Team, url: str, *events: str) -> tuple[int, str]:
    """A webhook: (id, secret)."""
    with store.transaction() as tx:
        row, secret = webhooks.create(tx, administrator(team, tx), url=url, events=events, private=True)
    return row.id, secret


def a_case(store: Store, team: Team, stage: str = "to_contact") -> str:
    with store.transaction() as tx:
        return walk(team, tx, stage, "wanda", on=MONDAY).code


def deliver(store: Store, at: datetime = AT, channel: WebhookChannel = INSIDE) -> EventReport:
    return webhooks.deliver(store, channel, at=at, limit=100)


def test_what_happens_is_told_once_signed_and_with_codes_only(store: Store, team: Team, receiver: Receiver) -> None:
    before = a_case(store, team)
    _number, secret = listen(store, team, receiver.url)
    code = a_case(store, team)
    assert deliver(store) == EventReport(events_queued=3, events_sent=3)
    assert deliver(store) == EventReport() and len(receiver.received) == 3
    told = [json.loads(body) for _headers, body in receiver.received]
    assert [(one["event"], one["case"], one["seq"]) for one in told] == [
        ("opened", code, 1),
        ("step", code, 2),
        ("step", code, 3),
    ]
    assert before != code and told[1]["from"] == ["detected"] and told[1]["to"] == ["screening"]
    assert set(told[1]) == {
        *("id", "event", "case", "seq", "on", "at", "trigger"),
        *("person_id", "from", "to", "undoes", "by_system"),
    }
    for headers, body in receiver.received:
        parts = dict(part.split("=") for part in headers["ponte-signature"].split(","))
        signed = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signed, parts["v1"]) and abs(int(parts["t"]) - AT.timestamp()) < 60
        assert headers["content-type"] == "application/json"


def test_a_receiver_that_fails_twice_is_tried_again_and_nothing_is_doubled(
    store: Store, team: Team, receiver: Receiver
) -> None:
    number, _secret = listen(store, team, receiver.url, "step")
    a_case(store, team)
    receiver.statuses = [500, 302]
    assert deliver(store) == EventReport(events_queued=2, events_later=1, events_put_off=1)
    assert webhooks.fan_out(store, AT) == webhooks.fan_out(store, AT + timedelta(hours=1)) == 0
    assert deliver(store, AT + timedelta(minutes=1)).events_sent == 0, "not before its time"
    at = AT + BACK_OFF[0] + timedelta(minutes=1)
    assert deliver(store, at) == EventReport(events_later=1, events_put_off=1), "a redirect is not followed"
    at += BACK_OFF[1] + timedelta(minutes=1)
    assert deliver(store, at).events_sent == 2
    with store.transaction() as tx:
        events = select(outbox.c.status, outbox.c.attempts).where(outbox.c.delivery == "webhook")
        rows = tx.connection.execute(events).all()
        assert sorted(rows) == [("sent", 1), ("sent", 3)]
        proofs = tx.connection.execute(select(evidence)).mappings().all()
        assert {tx.cipher.decrypt(one["address"]) for one in proofs} == {receiver.url}
        assert all("P-0" in tx.cipher.decrypt(one["body"]) and one["reply"] == "204" for one in proofs)
        standing = webhooks.standing(tx, administrator(team, tx))
    assert [(one.row.id, one.waiting, one.sent, one.failed) for one in standing] == [(number, 0, 2, 0)]


def test_after_the_last_try_it_has_failed_until_somebody_tries_again(
    store: Store, team: Team, receiver: Receiver
) -> None:
    number, _secret = listen(store, team, receiver.url, "opened")
    a_case(store, team)
    receiver.statuses = [503] * 6
    at = AT
    for wait in (*BACK_OFF, timedelta()):
        report = deliver(store, at)
        at += wait + timedelta(minutes=1)  # a try is put off from when it failed, however long that took
    assert report == EventReport(events_failed=1) and len(receiver.received) == 6
    assert deliver(store, at + timedelta(days=9)) == EventReport()
    with store.transaction() as tx:
        assert webhooks.standing(tx, administrator(team, tx))[0].failed == 1
        assert webhooks.retry(tx, administrator(team, tx), number) == 1
    assert deliver(store, at).events_sent == 1


def test_a_young_entry_is_told_at_once_and_looked_at_again(store: Store, team: Team, receiver: Receiver) -> None:
    listen(store, team, receiver.url)
    a_case(store, team)
    young = datetime(2026, 11, 2, 11, 0, 20, tzinfo=UTC)
    assert deliver(store, young).events_sent == 3
    with store.transaction() as tx:
        assert webhooks.standing(tx, administrator(team, tx))[0].row.history_to == 0
    assert deliver(store) == EventReport(), "the unique key keeps it from being told twice"
    with store.transaction() as tx:
        assert webhooks.standing(tx, administrator(team, tx))[0].row.history_to > 0


def test_an_undo_is_an_event_and_takes_none_back(store: Store, team: Team, receiver: Receiver) -> None:
    listen(store, team, receiver.url)
    code = a_case(store, team)
    assert webhooks.fan_out(store, AT) == 3
    with store.transaction() as tx:
        undoing.undo(tx, team.occasion(tx, "wanda"), code)
    assert deliver(store) == EventReport(events_queued=1, events_sent=4)
    last = json.loads(receiver.received[-1][1])
    assert last["event"] == "undo" and last["undoes"] == 3
    code = a_case(store, team)
    assert deliver(store).events_sent == 3
    with store.transaction() as tx:
        undoing.undo(tx, team.occasion(tx, "wanda"), code)  # an event that left is no message that depended on it


def test_events_are_no_messages_to_people(store: Store, team: Team, receiver: Receiver) -> None:
    listen(store, team, receiver.url, "opened")
    a_case(store, team, "screening")
    assert webhooks.fan_out(store, AT) == 1
    tray = Tray()
    run(store, tray, at=AT, resolve=resolve)
    assert tray.sent == [], "the mail's channel never sees one"
    receiver.statuses = [500] * 6
    at = AT
    for wait in (*BACK_OFF, timedelta()):
        deliver(store, at)
        at += wait + timedelta(minutes=1)
    with store.transaction() as tx:
        assert tx.connection.execute(select(outbox.c.status).where(outbox.c.delivery == "webhook")).scalar() == "failed"
        shown = approving.messages(tx, team.occasion(tx, "lidia"))
    assert (shown.total, shown.elsewhere) == (0, 0), "a lead has no decision to take about it"


def test_a_removed_webhook_is_told_nothing(store: Store, team: Team, receiver: Receiver) -> None:
    number, _secret = listen(store, team, receiver.url)
    a_case(store, team)
    assert webhooks.fan_out(store, AT) == 3
    with store.transaction() as tx:
        webhooks.remove(tx, administrator(team, tx), number)
        with pytest.raises(NotFound):
            webhooks.remove(tx, administrator(team, tx), 4711)
    a_case(store, team)
    assert deliver(store) == EventReport() and receiver.received == []


def test_one_dead_receiver_does_not_keep_another_waiting(store: Store, team: Team, receiver: Receiver) -> None:
    listen(store, team, "http://127.0.0.1:9/nobody", "step")
    listen(store, team, receiver.url, "step")
    a_case(store, team)
    assert deliver(store) == EventReport(events_queued=4, events_sent=2, events_later=1, events_put_off=1)


def test_only_administrators_look_after_webhooks(store: Store, team: Team) -> None:
    with store.transaction() as tx:
        who = Occasion(actor_of(tx, "lidia", MONDAY), MONDAY, AT, team.pathways)
        for act in (
            lambda: webhooks.create(tx, who, url="https://example.org/"),
            lambda: webhooks.standing(tx, who),
            lambda: webhooks.remove(tx, who, 1),
            lambda: webhooks.retry(tx, who, 1),
        ):
            with pytest.raises(NotAllowed):
                act()


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.1.2.3/"),
        *("https://169.254.169.254/latest/meta-data", "https://192.168.1.1/", "https://user:word@example.org/"),
        *("ftp://example.org/", "https://", "nonsense", "https://exa mple.org/", "https://[::ffff:10.0.0.1]/"),
        *("https://example.org:99999/", "https://100.64.0.1/", "https://0.0.0.0/", "https://x.localhost/"),
        "https://example.org/" + "x" * 500,
    ],
)
def test_addresses_inside_or_without_tls_are_refused(store: Store, team: Team, url: str) -> None:
    with store.transaction() as tx, pytest.raises(BadInput):
        webhooks.create(tx, administrator(team, tx), url=url)


def test_a_name_that_leads_inside_is_refused_when_the_event_leaves(
    store: Store, team: Team, receiver: Receiver
) -> None:
    listen(store, team, receiver.url)
    a_case(store, team)
    report = deliver(store, channel=WebhookChannel())
    assert report.events_failed == 3 and receiver.received == []
    with pytest.raises(SendNever):
        WebhookChannel().post("https://127.0.0.1.nip.invalid@localhost/", b"", secret="s", moment=1)
    with pytest.raises(SendLater):
        WebhookChannel().post("https://nobody.invalid/", b"", secret="s", moment=1)


@pytest.mark.parametrize(
    ("place", "public"),
    [
        *[(place, True) for place in ("8.8.8.8", "2606:4700::1111")],
        *[(place, False) for place in ("fe80::1", "fd00::1", "2002:7f00:1::", "::ffff:127.0.0.1", "::1")],
        *[(place, False) for place in ("224.0.0.1", "172.16.0.1", "0.0.0.0", "127.0.0.1", "169.254.169.254")],
    ],
)
def test_which_addresses_are_the_worlds(place: str, public: bool) -> None:
    assert is_public(place) is public


def test_the_rows_of_events_hold_ids_only(store: Store, team: Team, receiver: Receiver) -> None:
    listen(store, team, receiver.url)
    a_case(store, team)
    webhooks.fan_out(store, AT)
    with store.transaction() as tx:
        rows = tx.connection.execute(select(outbox.c.data).where(outbox.c.delivery == "webhook")).scalars().all()
        assert len(rows) == 3 and all(set(json.loads(data)) == {"history_id"} for data in rows)
        assert tx.connection.execute(select(func.count()).select_from(evidence)).scalar_one() == 0
