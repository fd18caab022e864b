"""Whoever runs Ponte is told of dead channels and of missing nights: once, later if need be, with nobody's data."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from notifications.errors import BadData
from ponte_workflow import clock
from ponte_workflow.services import alerting, night
from ponte_workflow.store import cases, restored
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.nights import night as night_table
from tests.integration.contact_cases import NOW, TODAY, open_one, send, tell
from tests.site import Site


@dataclass
class Ear:
    """Who hears the alerts, or does not."""

    hears: Callable[[], bool] = lambda: True
    heard: list[str] = field(default_factory=list)

    def tell(self, title: str, text: str) -> bool:
        if not self.hears():
            return False
        self.heard.append(text)
        return True


def at(hour: int) -> datetime:
    return datetime(TODAY.year, TODAY.month, TODAY.day, hour, tzinfo=clock.ROME)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., int]:
    """Tell what there is to tell; how much that was."""
    return partial(alerting.tell, lock_file=tmp_path / "alerts.lock")


def test_a_channel_that_is_down_is_told_once_a_day(store: Store, told: Callable[..., int]) -> None:
    ear = Ear()
    assert told(store, ear, ["sms"], at=at(9), public_url="https://ponte.example/") == 1
    assert told(store, ear, ["sms"], at=at(10)) == 0
    assert told(store, ear, ["sms", "email"], at=at(9) + timedelta(days=1)) == 2
    assert "SMS" in ear.heard[0] and ear.heard[0].endswith("https://ponte.example/inbox")
    assert told(store, None, ["sms"], at=at(9)) == 0


def test_a_restore_is_told(store: Store, told: Callable[..., int]) -> None:
    ear = Ear()
    with store.transaction() as tx:
        restored.mark(tx, at(3) - timedelta(days=1), at(9))
    assert told(store, ear, [], at=at(9)) == 1 and "was brought back" in ear.heard[0]


def test_what_could_not_be_told_is_told_later_and_not_for_ever(store: Store, told: Callable[..., int]) -> None:
    deaf = Ear(hears=lambda: False)

    class Broken(Ear):
        def tell(self, title: str, text: str) -> bool:
            raise BadData("no such address")

    assert told(store, deaf, ["sms"], at=at(9)) == 0
    assert told(store, Broken(), [], at=at(10)) == 0
    ear = Ear()
    assert told(store, ear, [], at=at(11)) == 1
    assert told(store, deaf, ["email"], at=at(12)) == 0
    assert told(store, ear, [], at=at(12) + timedelta(days=2)) == 0


def test_a_night_that_did_not_complete_is_told_in_the_morning(site: Site, told: Callable[..., int]) -> None:
    store, ear = site.ponte.store, Ear()
    assert told(store, ear, [], at=at(9)) == 0, "a Ponte that has never had a night misses none"
    night.run_nights(site.ponte.night_plan("plain"), TODAY - timedelta(days=1), at=lambda: at(3) - timedelta(days=1))
    assert told(store, ear, [], at=at(5)) == 0, "it may still come"
    assert told(store, ear, [], at=at(7)) == 1
    assert f"{TODAY:%d/%m/%Y}" in ear.heard[0]
    with store.transaction() as tx:
        tx.connection.execute(update(night_table).values(status="running", completed_at=None))
        tx.connection.execute(
            insert(night_table).values(
                business_on=TODAY - timedelta(days=9), status="completed", runner="plain", replayed=False,
                started_at=at(3), attempts=1,
            )
        )  # fmt: skip
    day_before = at(3) - timedelta(days=1)
    assert told(store, ear, [], at=day_before + timedelta(hours=1)) == 0, "it is at work"
    assert told(store, ear, [], at=day_before + timedelta(hours=3)) == 1, "it began and did not end"


def test_notices_that_do_not_wait_are_told_at_once_without_anybodys_data(site: Site, told: Callable[..., int]) -> None:
    code, _person = open_one(site)
    with site.ponte.store.transaction() as tx:
        case_id = cases.by_code(tx, code).id
    tell(site, "sara", "breach", case_id=case_id, message="plan_breached", data={})
    send(site)
    ear = Ear()
    assert told(site.ponte.store, ear, [], at=NOW + timedelta(minutes=1)) == 1
    assert told(site.ponte.store, ear, [], at=NOW + timedelta(minutes=3)) == 0
    assert code not in ear.heard[0] and "Prova" not in ear.heard[0]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise looks for a library of its own
def test_apprise_tells_a_real_address_and_keeps_its_secret(tmp_path: Path) -> None:
    from notifications.channels.alerts import AppriseAlerts
    from tests.integration.receiver import Receiver, receiving

    with receiving(Receiver()) as receiver:
        place = receiver.url.removeprefix("http://")
        alerts = AppriseAlerts([f"json://{place}"])
        assert alerts.tell("Ponte", "a sentence") is True
        receiver.statuses.append(500)
        assert alerts.tell("Ponte", "again") is False
        received = len(receiver.received)
        receiver.statuses.append(500)
        two = AppriseAlerts([f"json://{place}", f"json://{place}"])
        assert two.tell("Ponte", "to whoever is there") is True, "the one that is dead keeps the other from nothing"
        assert len(receiver.received) == received + 2
    assert json.loads(receiver.received[0][1])["message"] == "a sentence"
    assert "127.0.0.1" not in repr(alerts)
    with pytest.raises(BadData):
        AppriseAlerts(["nonsense"]).tell("a", "b")
