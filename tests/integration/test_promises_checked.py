"""`ponte audit verify --all`: each broken promise is found and named; where all hold, nothing is."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import insert, text, update

from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.store import cases
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import contact_attempt, pause
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.neighbourhood import person
from tests.builders import MONDAY
from tests.integration.standing_cases import adult_of, walk
from tests.site import Site

NOON = datetime.combine(MONDAY, time(11), tzinfo=UTC)


@pytest.fixture
def lived(site: Site) -> Iterator[tuple[Site, CaseRow]]:
    """A case that was met, two nights, and one mail that left to its adult."""
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda", on=MONDAY - timedelta(days=1))
    for day in (MONDAY, MONDAY + timedelta(days=1)):
        at = datetime.combine(day, time(3), tzinfo=UTC)
        nights.run_nights(site.ponte.night_plan("plain"), day, at=lambda at=at: at)  # type: ignore[misc]
    with site.ponte.store.transaction() as tx:
        mail(tx, row, "instalment_due")
    yield site, row


def mail(tx: Transaction, row: CaseRow, message: str, at: datetime = NOON, *, proof: bool = True) -> int:
    """A message that left to the household's adult."""
    count = tx.connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    key = tx.connection.execute(
        insert(outbox).values(
            case_id=row.id,
            rule=f"test/{count}",
            due_on=at.date(),
            recipient=f"person:{adult_of(tx, row)}",
            message=message,
            kind="inform",
            delivery="direct",
            data="{}",
            status="sent",
            sent_at=at,
        )
    ).inserted_primary_key
    assert key is not None
    if proof:
        values = {"outbox_id": key[0], "channel": "x", "address": "x", "subject": "x", "body": "x", "message_id": "x"}
        tx.connection.execute(insert(evidence).values(**values, accepted_at=at, reply="250", way="email"))
    return int(key[0])


def found(site: Site) -> list[str]:
    with site.ponte.store.reading() as tx:
        return auditing.verify(tx, site.ponte.pathways, promises=True).found


def test_where_everything_holds_nothing_is_found(lived: tuple[Site, CaseRow]) -> None:
    assert found(lived[0]) == []


def test_what_is_broken_is_named(lived: tuple[Site, CaseRow]) -> None:
    site, row = lived
    store = site.ponte.store

    def broken(sentence: str) -> None:
        assert any(sentence in one for one in found(site)), (sentence, found(site))

    with store.transaction() as tx:
        attempts = update(contact_attempt).where(contact_attempt.c.case_id == row.id)
        tx.connection.execute(attempts.values(retracted=True))
    broken("a demand before any human contact attempt")
    with store.transaction() as tx:
        tx.connection.execute(update(contact_attempt).values(retracted=False))
        mail(tx, row, "plan_signed", proof=False)
    broken("called sent without evidence")
    with store.transaction() as tx:
        mail(tx, row, "plan_kept_thanks", NOON + timedelta(days=1))
        mail(tx, row, "plan_kept_thanks", NOON + timedelta(days=2))
    broken("more than 2 to one household in seven days")
    with store.transaction() as tx:
        mail(tx, row, "plan_kept_thanks", NOON + timedelta(days=20, hours=10))
        mail(tx, row, "plan_kept_thanks", NOON + timedelta(days=27))
    broken("22:00, in the quiet hours")
    with store.transaction() as tx:
        tx.connection.execute(
            update(person).where(person.c.id == adult_of(tx, row)).values(birth_date=date(2010, 1, 1))
        )
    broken("left to a minor")
    with store.transaction() as tx:
        old = update(person).where(person.c.id == adult_of(tx, row))
        tx.connection.execute(old.values(birth_date=date(1980, 1, 1), deceased_on=MONDAY - timedelta(days=3)))
    broken("left to somebody who had died")
    with store.transaction() as tx:
        tx.connection.execute(text("UPDATE cases SET paused = true"))
        tx.connection.execute(pause.delete())
    broken(f"{row.code}: paused without a review")
    with store.transaction() as tx:
        tx.connection.execute(text("UPDATE night SET status = 'running' WHERE business_on = :on"), {"on": MONDAY})
    broken("never completed, and later ones were")
    with store.transaction() as tx:
        left_out = text("UPDATE night_step SET status = 'waiting' WHERE night_id = :id AND step = 'clocks'")
        night_id = tx.connection.execute(text("SELECT max(id) FROM night")).scalar_one()
        tx.connection.execute(left_out, {"id": night_id})
    broken("its step clocks is not ended")
    with store.transaction() as tx:
        tx.connection.execute(
            text("UPDATE cases SET set_aside_on = :on WHERE id = :id"), {"on": MONDAY + timedelta(days=1), "id": row.id}
        )
        assert cases.by_id(tx, row.id).set_aside_on
    broken("whose certificate does not say so")


def test_a_night_that_is_missing_between_two_is_named(lived: tuple[Site, CaseRow]) -> None:
    site, _row = lived
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(
            text("UPDATE night SET business_on = :on WHERE business_on = :was"),
            {"on": MONDAY + timedelta(days=5), "was": MONDAY + timedelta(days=1)},
        )
    assert any("none between" in one for one in found(site))


@pytest.fixture
def rung(site: Site) -> Iterator[Site]:
    """Two cases whose first deadline has rung, in a night that came after another."""
    with site.ponte.store.transaction() as tx:
        for _ in range(2):
            site.team.open_case(tx, MONDAY)
    for days in (2, 3):
        at = datetime.combine(MONDAY + timedelta(days=days), time(3), tzinfo=UTC)
        nights.run_nights(site.ponte.night_plan("plain"), at.date(), at=lambda at=at: at)  # type: ignore[misc]
    assert found(site) == []
    yield site


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param(
            "INSERT INTO history (case_id, seq, kind, \"on\", at, data, previous_hash, hash) "
            "SELECT case_id, seq + 1, kind, \"on\", at, data, previous_hash, hash FROM history WHERE kind = 'clock'",
            "the same deadline rang twice on 2026-11-05",
            id="rung twice",
        ),
        pytest.param("UPDATE outbox SET rule = 'another', history_seq = NULL WHERE case_id = 1",
                     "a reminder of which there is no message", id="history without its message"),
        pytest.param("UPDATE outbox SET history_seq = 9 WHERE case_id = 1", "queued by an entry that its case does not have",
                     id="message without its history"),
        pytest.param("UPDATE clock SET position = position + 1 WHERE case_id = 1", "does not stand where its history says",
                     id="clock moved alone"),
        pytest.param("UPDATE clock SET due_on = '2026-11-04' WHERE case_id = 1", "left out by the night of 2026-11-05",
                     id="left out by the night"),
        pytest.param("UPDATE night SET replayed = true WHERE business_on = '2026-11-05'", "sent a morning mail",
                     id="a missed night that sends mails"),
        pytest.param(
            "UPDATE night SET business_on = '2026-12-01' WHERE business_on = '2026-11-04'", "certified after the one of",
            id="certified out of order",
        ),
    ],
)  # fmt: skip
def test_what_was_done_twice_in_halves_or_out_of_order_is_named(rung: Site, statement: str, sentence: str) -> None:
    with rung.ponte.store.transaction() as tx:
        for one in statement.split("; "):
            tx.connection.execute(text(one))
    assert any(sentence in one for one in found(rung)), found(rung)


def test_two_messages_under_one_name_are_named_but_not_two_programs_told_of_one_event(rung: Site) -> None:
    with rung.ponte.store.transaction() as tx:
        row = cases.by_code(tx, "P-000001")
        first, second = (mail(tx, row, "plan_kept_thanks", NOON + timedelta(days=days)) for days in (0, 8))
        tx.connection.execute(update(outbox).where(outbox.c.id.in_((first, second))).values(delivery="webhook"))
    assert not any("left twice" in one for one in found(rung))
    with rung.ponte.store.transaction() as tx:
        tx.connection.execute(update(outbox).where(outbox.c.id.in_((first, second))).values(delivery="direct"))
    assert any("left twice" in one for one in found(rung))


def test_a_case_whose_clocks_have_run_out_is_forgotten_only_where_a_night_has_passed_over_it(
    lived: tuple[Site, CaseRow],
) -> None:
    site, row = lived
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(text("UPDATE clock SET due_on = NULL"))
        found = auditing.verify(tx, site.ponte.pathways).found
        assert found == [f"{row.code}: no clock is running and nobody was told"]
        # The same a moment later: somebody has done something, and the next night tells whom it may concern.
        site.team.do(tx, "wanda", row.code, "record_attempt", MONDAY, channel="phone", outcome="no_answer")
        assert auditing.verify(tx, site.ponte.pathways).found == []
