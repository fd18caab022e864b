"""PostgreSQL killed in the middle of a batch: the running night waits, goes on by itself, and blames no case for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ponte_workflow import clock
from ponte_workflow.services import accounts, integrations
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import SYSTEM
from ponte_workflow.store import network
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Busy, Store, open_engine
from ponte_workflow.web.gate import COOKIE
from tests.faults.mail import Holding, environment, serving, statuses, with_mail, words
from tests.faults.postgresql import OwnServer, own_server
from tests.faults.processes import DUE, Build, House, finish, refused, until
from tests.integration.mail_server import free_port

pytestmark = pytest.mark.slow
CASES = 400


@pytest.fixture
def killable(cipher: FieldCipher, tmp_path: Path, house: Build) -> Iterator[tuple[OwnServer, House]]:
    """A server that may be killed, and cases on it."""
    with own_server() as server:
        engine = open_engine(server.url)
        yield server, house(Store(engine, cipher), server.url, tmp_path, CASES)
        engine.dispose()


@contextmanager
def serving_pages(town: House, port: int) -> Iterator[None]:
    """`ponte web` on that port."""
    process = town.start("web", PONTE_WEB_PORT=str(port))
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_night_survives_the_death_of_its_database(killable: tuple[OwnServer, House]) -> None:
    server, town = killable
    process = town.night()
    until(lambda: town.rung() > CASES // 8, process)
    server.kill()
    time.sleep(2)
    assert process.poll() is None, "the night waits"
    server.start()
    rung = town.rung()
    assert 0 < rung < CASES, "the database died in the middle"
    certificate = finish(process)
    assert certificate["incidents"] == {"database_away": 1}
    assert (certificate["attempts"], certificate["set_aside"]) == (1, [])
    assert certificate["steps"]["clocks"] == {
        "status": "completed",
        "looked_at": CASES,
        "acted_on": CASES,
        "set_aside": 0,
    }
    assert town.counts() == town.once_each()
    town.audited()
    assert finish(town.night()) == certificate
    finish(town.night(DUE + timedelta(days=1)))
    town.audited()


def test_a_night_that_waited_long_enough_says_so_and_the_next_one_goes_on(killable: tuple[OwnServer, House]) -> None:
    server, town = killable
    process = town.night(PONTE_DATABASE_PATIENCE="3")
    until(lambda: town.rung() > CASES // 8, process)
    server.kill()
    assert "was waited for 3 seconds" in refused(process)
    assert "does not answer" in refused(town.night()), "whoever sits before it is told at once"
    server.start()
    assert 0 < until(town.rung) < CASES
    certificate = finish(town.night())
    assert certificate["incidents"] == {"taken_up_again": 1} and certificate["set_aside"] == []
    assert town.counts() == town.once_each()
    town.audited()


def test_a_delivery_writes_down_what_left_although_the_database_died_meanwhile(
    killable: tuple[OwnServer, House],
) -> None:
    server, town = killable
    numbers = with_mail(town)
    post = Holding()
    with serving(post) as port:
        process = town.start(*words(), **environment(port))
        assert post.held.wait(60)
        server.kill()  # the mail server has the message, and nobody can write that down
        post.released.set()
        time.sleep(2)
        assert process.poll() is None and len(post.mails) == 1, "it waits, and sends nothing more meanwhile"
        server.start()
        assert finish(process)["sent"] == 2
        assert statuses(town, numbers) == ["sent", "sent"], "the legal one too: it is known what became of it"
        finish(town.start(*words(24 * 60), **environment(port)))
    assert len(post.mails) == 2
    town.audited()


def test_pages_and_api_say_503_with_a_sentence_and_come_back(killable: tuple[OwnServer, House]) -> None:
    server, town = killable
    assert town.team is not None
    with town.store.transaction() as tx:
        cookie = accounts.open_session(
            tx, network.member_by_username(tx, "wanda").id, at=clock.now(), browser="test", second_factor=True
        )
        occasion = Occasion(SYSTEM, clock.today(), clock.now(), town.team.pathways)
        _row, token = integrations.create_token(
            tx, occasion, name="a-program", username="wanda", scopes=integrations.SCOPES,
            expires_on=clock.today() + timedelta(days=30),
        )  # fmt: skip
    port = free_port()
    page = {"cookie": f"{COOKIE}={cookie}; ponte-language=en"}
    call = {"authorization": f"Bearer {token}", "accept-language": "en"}
    with (
        serving_pages(town, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        until(lambda: client.get("/health/ready").status_code == 200)
        assert client.get("/", headers=page).status_code == 200
        assert client.get("/api/v1/cases", headers=call).status_code == 200
        server.kill()
        shown = client.get("/", headers=page)
        assert shown.status_code == 503 and "cannot reach its database just now" in shown.text
        answer = client.get("/api/v1/cases", headers=call)
        assert answer.status_code == 503 and answer.json()["type"] == "urn:ponte:problem:database-away"
        assert "cannot reach its database just now" in answer.json()["detail"]
        assert client.get("/sign-in").status_code == 200, "what needs no database is still there"
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
        for told in (shown.text, answer.text):
            assert "socket" not in told and "psycopg" not in told, "how it is reached is nobody's business"
        server.start()
        assert client.get("/", headers=page).status_code == 200
        assert client.get("/api/v1/cases", headers=call).status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_that_are_cut_again_and_again_cost_no_case_its_night(
    store: Store, database_url: str, tmp_path: Path, house: Build
) -> None:
    town = house(store, database_url, tmp_path, CASES)
    process = town.night()
    cuts = 0
    for rung in range(CASES // 10, CASES - CASES // 10, CASES // 5):
        until(lambda rung=rung: town.rung() >= rung, process)  # type: ignore[misc]
        cuts += town.look(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    certificate = finish(process)
    assert cuts and certificate["set_aside"] == [] and certificate["attempts"] == 1
    assert list(certificate["incidents"]) == ["database_away"], "no batch was taken apart in search of a culprit"
    assert town.counts() == town.once_each()
    town.audited()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_lock_of_the_night_is_taken_anew_when_the_database_took_it_along(store: Store, tmp_path: Path) -> None:
    def other() -> None:
        with store.alone(tmp_path / "lock", wait_seconds=0):
            pass

    with store.alone(tmp_path / "lock", wait_seconds=0) as hold:
        with pytest.raises(Busy):
            other()
        with store.transaction() as tx:
            tx.connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
        until(lambda: other() is None)
        hold.keep()
        hold.keep()
        with pytest.raises(Busy):
            other()
    other()
