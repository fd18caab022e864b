"""A year of the demo's neighbourhood: every night, every message, every step; and the promises at its end."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ponte_workflow.bootstrap import Ponte, open_ponte, open_store, read_settings
from ponte_workflow.demo import play
from ponte_workflow.services import auditing
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import make_key_file

pytestmark = pytest.mark.year
BEGIN = date(2026, 11, 20)


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


def test_the_promises_hold_after_a_simulated_year(ponte: Ponte) -> None:
    for today in (BEGIN, BEGIN + timedelta(weeks=40)):  # twelve weeks, and then a second start that goes on
        game = play.begin(ponte, seed=2026, weeks=12, today=today, say=lambda _what: None)
        for day in game.days():
            game.play_day(day)
    with ponte.store.transaction() as tx:
        report = auditing.verify(tx, ponte.pathways, promises=True)
    assert report.found == [], (
        "histories, replays, certificates, balances, nights, messages, money; nobody is forgotten"
    )
    assert report.checked["certificates"] > 52 * 7
    ponte.store.engine.dispose()
