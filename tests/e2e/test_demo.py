"""The demo: two weeks of life through the real services, and a second run that goes on where the first stood."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ponte_workflow.bootstrap import Ponte, open_ponte, open_store, read_settings
from ponte_workflow.demo import play
from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.store import cases, migrate
from ponte_workflow.store.crypto import make_key_file
from ponte_workflow.store.schema.agenda import appointment
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.money import payment_plan

TODAY = date(2026, 11, 20)


@pytest.fixture
def ponte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ponte:
    """An empty Ponte with files for mails."""
    monkeypatch.setenv("PONTE_HOME", str(tmp_path))
    settings = read_settings()
    make_key_file(settings.key_path)
    store = open_store(settings)
    migrate.upgrade(store.engine)
    store.engine.dispose()
    return open_ponte(settings)


def test_the_demo_plays_and_goes_on(ponte: Ponte) -> None:
    steps: dict[str, int] = {}
    for today in (TODAY, TODAY + timedelta(days=3)):
        game = play.begin(ponte, seed=5, weeks=2, today=today, say=lambda _what: None)
        for day in game.days():
            for trigger, count in game.play_day(day).items():
                steps[trigger] = steps.get(trigger, 0) + count
    assert {"assign", "confirm", "record_attempt"} <= steps.keys()
    assert list(game.days()) == []
    assert nights.certificate(ponte.store, TODAY + timedelta(days=3))["set_aside"] == []
    with ponte.store.transaction() as tx:
        assert len(cases.open_ids(tx)) > 10
        assert auditing.verify(tx, ponte.pathways).found == []
    mails = list(ponte.mails.glob("*.eml"))
    assert mails and all(mail.stat().st_mode & 0o077 == 0 for mail in mails)
    ponte.store.engine.dispose()


@pytest.mark.slow
def test_twelve_weeks_leave_somebody_in_every_state_and_everything_holds(ponte: Ponte) -> None:
    game = play.begin(ponte, seed=2026, weeks=12, today=TODAY, say=lambda _what: None)
    for day in game.days():
        game.play_day(day)
    assert play.states_without_anybody(ponte) == []
    with ponte.store.transaction() as tx:
        assert auditing.verify(tx, ponte.pathways).found == []
        late = tx.connection.execute(
            select(outbox.c.id).where(outbox.c.status == "sent", outbox.c.due_on < TODAY - timedelta(weeks=13))
        ).all()
        assert late == [], "nobody is written to about what happened before the demo began"
        standing = dict(
            tx.connection.execute(select(payment_plan.c.status, func.count()).group_by("status")).tuples().all()
        )
        assert standing["active"] and standing["settled"]
        assert {"held", "planned"} <= set(tx.connection.execute(select(appointment.c.status)).scalars())
    assert list((ponte.settings.folder / "letters").glob("*.pdf")) or list(
        (ponte.settings.folder / "letters").glob("batch-*")
    )
    ponte.store.engine.dispose()
