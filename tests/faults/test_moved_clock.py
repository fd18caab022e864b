"""The machine's clock is put a day forward and back: nothing twice, nothing skipped, and the certificates say so."""

from datetime import timedelta
from pathlib import Path

import pytest

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.config import Settings
from ponte_workflow.services import night as nights
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store.engine import Store
from ponte_workflow.store.nights import night_row
from tests.builders import MONDAY
from tests.faults.mail import environment, serving, statuses, with_mail, words
from tests.faults.processes import DUE, Build, House, finish
from tests.integration.mail_server import Post

pytestmark = pytest.mark.slow


@pytest.fixture
def town(store: Store, database_url: str, tmp_path: Path, house: Build) -> House:
    return house(store, database_url, tmp_path, 4)


def test_the_night_of_tomorrow_runs_today_and_is_not_repeated_when_time_catches_up(town: House) -> None:
    assert town.team is not None
    first = finish(town.night(DUE - timedelta(days=1)))
    forward = finish(town.night(DUE))  # the clock says tomorrow
    assert town.counts() == town.once_each()
    with town.store.transaction() as tx:  # it is put right, and people go on working on the day that it really is
        town.team.do(tx, "sara", town.codes[0], "assign", DUE - timedelta(days=1), case_worker="wanda")
    back = town.run("case", "advance", town.codes[1], "assign", "--set", "case_worker=wanda", "--as", "sara", "--on",
                    (DUE - timedelta(days=1)).isoformat())  # fmt: skip
    assert back["code"] == town.codes[1]
    assert finish(town.night(DUE - timedelta(days=1))) == first
    assert finish(town.night(DUE)) == forward, "the day itself comes: done already"
    assert town.counts() == town.once_each()
    town.audited()
    # What was begun after the night had run ahead has its deadlines from its own day, and none is left out.
    for days in range(1, 12):
        finish(town.night(DUE + timedelta(days=days)))
    with town.store.transaction() as tx:
        rings = tx.connection.exec_driver_sql(
            "SELECT h.case_id, h.\"on\" FROM history h WHERE h.kind = 'clock' ORDER BY h.id"
        ).all()
    assert len(rings) == len(set(rings)), "each deadline of a case on its own day, once"
    assert {case for case, _on in rings} == {1, 2, 3, 4}
    town.audited()


def test_a_certificate_says_that_its_night_ran_ahead_and_that_the_clock_went_back(
    town: House, tmp_path: Path, database_url: str
) -> None:
    settings = Settings(home=tmp_path, database_url=database_url)
    plan = Ponte(settings, town.store, Pathways(None)).night_plan("plain")
    today = clock.today()
    finish(town.night(today))
    # What a process does while the clock is a day ahead: it believes it, and sees nothing unusual.
    moved = nights.run_nights(plan, today + timedelta(days=1), at=lambda: clock.now() + timedelta(days=1))
    assert "incidents" not in moved and "ahead_days" not in moved
    later = finish(town.night(today + timedelta(days=2)))
    with town.store.reading() as tx:
        began = night_row(tx, today + timedelta(days=2)).started_at.astimezone(clock.ROME).date()
    ahead = (today + timedelta(days=2) - began).days  # two; one if it is tomorrow by now
    assert ahead in (1, 2) and later["ahead_days"] == ahead and later["incidents"] == {"clock_went_back": 1}
    process = town.start("nightly", "--on", (today + timedelta(days=2)).isoformat())
    told, _err = process.communicate(timeout=60)
    assert "clock went back" in told and f"it ran {ahead} day" in told
    town.audited()


def test_deliveries_with_a_moved_clock_send_each_message_once(town: House) -> None:
    numbers = with_mail(town)
    post = Post()
    with serving(post) as port:
        for days in (1, 0, 2):  # forward, back, and time catches up
            finish(town.start(*words(days * 24 * 60), **environment(port)))
            assert statuses(town, numbers) == ["sent", "sent"]
    assert len(post.mails) == 2
    finish(town.night(MONDAY + timedelta(days=1)))
    town.audited()
