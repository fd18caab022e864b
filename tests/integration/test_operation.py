"""Operation: what the doctor finds and says, whether the application is ready, and the numbers that Prometheus reads."""

import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, text, update
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, open_store
from ponte_workflow.config import Settings
from ponte_workflow.errors import WrongSchema
from ponte_workflow.services import doctor, servers
from ponte_workflow.services import night as nights
from ponte_workflow.services.finding import Finding
from ponte_workflow.store import keycheck, migrate, tracking
from ponte_workflow.store.crypto import make_key_file, new_key
from ponte_workflow.store.engine import Store, reachable
from ponte_workflow.store.schema.casework import clock as case_clock
from ponte_workflow.store.schema.messages import evidence, outbox
from tests.builders import create_ledger, create_team
from tests.integration.mail_server import Post, mail_server
from tests.integration.standing_cases import walk
from tests.site import HOST, Site, make_site

TODAY = clock.today()
MORNING = datetime.combine(TODAY, time(8), tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation on SQLite with its key, its schema, its people, a fresh ledger and tonight's night."""
    made = Settings.model_validate({"home": tmp_path / "home", "language": "en"})
    make_key_file(made.key_path)
    store = open_store(made)
    migrate.upgrade(store.engine)
    team = create_team(store)
    with store.transaction() as tx:
        row = team.open_case(tx, TODAY)
        create_ledger(tx, row.tenancy_id, on=TODAY)
    store.engine.dispose()
    ponte = open_ponte(made)
    nights.run_nights(ponte.night_plan("plain"), TODAY, at=lambda: MORNING - timedelta(hours=5))
    ponte.store.engine.dispose()
    return made


def found(settings: Settings, at: datetime = MORNING) -> dict[str, Finding]:
    return {one.name: one for one in doctor.examine(settings, at)}


def sql(settings: Settings, statement: str) -> None:
    store = open_store(settings)
    with store.transaction() as tx:
        tx.connection.execute(text(statement))
    store.engine.dispose()


def test_a_sound_installation_has_nothing_that_does_not_work(settings: Settings) -> None:
    said = found(settings)
    assert {name for name, one in said.items() if one.state == "bad"} == set()
    assert said["key"].state == said["database"].state == said["night"].state == said["ledgers"].state == "good"
    assert said["mail"].state == "look", "mails go to a folder: that is said"
    assert all(one.mend for one in said.values() if one.state != "good"), "nothing is found without what to do"


@pytest.mark.parametrize("fault", ["key gone", "key open to others", "another key", "no database", "old schema"])
def test_what_keeps_ponte_from_starting_is_named(settings: Settings, fault: str) -> None:
    key = settings.key_path
    if fault == "key gone":
        key.unlink()
    elif fault == "key open to others":
        key.chmod(0o644)
    elif fault == "another key":
        key.write_text(new_key(), encoding="ascii")
    elif fault == "no database":
        (settings.folder / "ponte.sqlite3").unlink()
    else:
        sql(settings, "UPDATE alembic_version SET version_num = '0001'")
    said = found(settings)
    name = "key" if "key" in fault else "database"
    assert said[name].state == "bad" and said[name].mend
    if fault == "key open to others":
        assert "chmod 600" in said[name].what
    if fault == "old schema":
        assert "ponte db upgrade" in said[name].what


@pytest.mark.parametrize(
    ("later", "state"),
    [
        pytest.param(timedelta(hours=20), "good", id="before six the next morning"),
        pytest.param(timedelta(hours=22), "bad", id="the night did not start"),
        pytest.param(timedelta(days=3), "bad", id="for days"),
    ],
)
def test_a_night_that_does_not_come_is_noticed_by_six(settings: Settings, later: timedelta, state: str) -> None:
    at = datetime.combine(TODAY, time(9), tzinfo=clock.ROME) + later
    one = found(settings, at)["night"]
    assert one.state == state and (state == "good" or "ponte nightly" in one.mend)


def test_a_night_that_began_and_did_not_end_is_noticed(settings: Settings) -> None:
    sql(settings, "UPDATE night SET status = 'running', completed_at = NULL")
    assert "did not end" in found(settings)["night"].what


def test_messages_that_wait_and_those_for_a_person_are_told_apart(settings: Settings) -> None:
    store = open_store(settings)
    with store.transaction() as tx:
        for number, (status, due) in enumerate((("queued", TODAY - timedelta(days=5)), ("held", TODAY))):
            values = {
                "rule": f"test/{number}",
                "due_on": due,
                "recipient": "staff:1",
                "message": "digest",
                "kind": "inform",
                "delivery": "direct",
                "status": status,
                "data": "{}",
            }
            tx.connection.execute(outbox.insert().values(**values))
    store.engine.dispose()
    said = found(settings)
    assert said["outbox"].state == "bad" and "ponte deliver" in said["outbox"].mend
    assert said["decisions"].state == "look" and said["decisions"].what.startswith("1 message")


def test_little_disk_is_told_before_it_is_full(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((50, "bad"), (500, "look"), (50_000, "good")):
        usage = SimpleNamespace(free=free * 1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, usage=usage: usage)
        assert found(settings)["disk"].state == state


def test_a_mail_server_is_really_asked(settings: Settings) -> None:
    gone = settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_tls": "none"})
    one = found(gone)["mail"]
    assert one.state == "bad" and "PONTE_SMTP_HOST" in one.mend
    with mail_server(Post()) as port:
        there = gone.model_copy(update={"smtp_port": port})
        assert found(there)["mail"].state == "good"


def test_a_prefect_server_that_does_not_answer_is_named(settings: Settings) -> None:
    one = found(settings.model_copy(update={"prefect_api_url": "http://127.0.0.1:1/api"}))["prefect"]
    assert one.state == "bad" and "ponte up" in one.mend


@contextmanager
def silent_servers(many: int) -> Iterator[list[socket.socket]]:
    """Servers that take a connection and never say a word."""
    with ExitStack() as open_:
        yield [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _n in range(many)]


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_server_that_hangs_is_waited_for_no_longer_than_it_is_worth(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.2)
    with silent_servers(1) as (mail,):
        hanging = settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port_of(mail), "smtp_tls": "none"})
        (one,) = servers.findings(hanging)
    assert (one.name, one.state) == ("mail", "bad") and "timed out" in one.what


def test_servers_are_asked_together_and_each_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 20.0)
    waiting: list[socket.socket] = []
    with silent_servers(2) as (mail, prefect), ThreadPoolExecutor(1) as pool:
        hanging = settings.model_copy(
            update={
                "smtp_host": "127.0.0.1", "smtp_port": port_of(mail), "smtp_tls": "none",
                "prefect_api_url": f"http://127.0.0.1:{port_of(prefect)}/api",
                "pec_smtp_host": "127.0.0.1", "pec_smtp_port": 1,
                "pec_imap_host": "127.0.0.1", "pec_imap_port": port_of(mail),
                "sms_url": "http://127.0.0.1:1/sms", "oidc_issuer": "http://[broken",
            }
        )  # fmt: skip
        asked = pool.submit(servers.findings, hanging)
        # Both of mail's and Prefect's are asked while nobody has been answered, and nobody has given up.
        for server in (prefect, mail, mail):
            server.settimeout(10)
            waiting.append(server.accept()[0])
        assert not asked.done()
        for connection in waiting:
            connection.close()
        said = {one.name: one.state for one in asked.result(timeout=60)}
    assert said == {
        "mail": "bad", "prefect": "bad", "certified mail": "bad", "certified mailbox": "good", "SMS": "bad"
    }  # fmt: skip


# --- Ready, and in numbers -----------------------------------------------------------------------------------------


def test_whether_it_is_ready_is_answered_while_somebody_writes_for_long(site: Site) -> None:
    store = site.ponte.store
    keycheck.check(store)  # the first one of all writes
    with store.transaction() as tx:  # on SQLite nobody else may begin to write now
        tx.connection.execute(text("UPDATE quarter SET name = name"))
        reachable(store.engine)
        migrate.check(store.engine)
        keycheck.check(store)
        assert site.visitor().get("/health/ready").status_code == 200


def test_ready_until_the_schema_is_an_older_one(site: Site) -> None:
    browser = site.visitor()
    assert browser.get("/health/live").json() == {"status": "alive"}
    assert (browser.get("/health/ready").status_code, browser.get("/health/ready").json()) == (200, {"status": "ready"})
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert browser.get("/health/ready").status_code == 200, "an upgrade is under way: who works goes on"
    with pytest.raises(WrongSchema, match="newer than this program"):
        migrate.check(site.ponte.store.engine)
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
    assert browser.get("/health/live").status_code == 200, "it lives all the same: a restart would not mend it"


def numbers(exposition: str) -> dict[str, float]:
    lines = (line for line in exposition.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _blank, value in (line.rpartition(" ") for line in lines)}


def test_prometheus_reads_counts_of_nights_cases_messages_and_requests_and_nobodys_data(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        rows = [walk(site.team, tx, "met", "wanda") for _n in range(2)]
        site.team.do(tx, "wanda", rows[0].code, "drop_out", TODAY, reason="r")
        tx.connection.execute(update(outbox).values(status="held"))
    begun = clock.now()
    moments = iter([begun, begun + timedelta(seconds=90)])  # when it begins, and when it is certified
    nights.run_nights(site.ponte.night_plan("plain"), TODAY, at=lambda: next(moments))
    with site.ponte.store.transaction() as tx:
        sent = tx.connection.execute(select(outbox.c.id).order_by(outbox.c.id)).scalars().all()[:2]
        for number, way in zip(sent, ("email", "sms"), strict=True):
            texts = dict.fromkeys(("channel", "message_id", "reply"), "x")
            texts |= dict.fromkeys(("address", "subject", "body"), tx.cipher.encrypt("x"))
            tx.connection.execute(insert(evidence).values(outbox_id=number, accepted_at=begun, way=way, **texts))
        tracking.record(tx, sent[1], "bounced", begun, channel="sms")
        tx.connection.execute(update(case_clock).values(due_on=TODAY))
    site.signed_in("wanda").get(f"/cases/{rows[1].code}")
    text_ = site.visitor().get("/metrics").text
    found_ = numbers(text_)
    assert found_['ponte_cases{standing="open"}'] == 1
    assert found_["ponte_night_completed"] == 1 and found_["ponte_night_age_days"] == 0
    assert found_["ponte_night_seconds"] == 90 and found_["ponte_night_attempts"] == 1
    assert found_["ponte_night_missed"] == 0
    assert found_['ponte_night_cases{step="ledgers",what="looked_at"}'] >= 0
    assert found_["ponte_cases_due"] == 1 <= found_["ponte_clocks_due"]
    assert found_['ponte_cases{standing="set_aside"}'] == 0
    assert found_['ponte_delivered_messages{way="email"}'] == found_['ponte_delivered_messages{way="sms"}'] == 1
    assert found_['ponte_delivery_events{kind="bounced",way="sms"}'] == 1
    assert "ponte_outbox_oldest_days" in found_ and found_['ponte_outbox_messages{status="held"}'] > 0
    assert any(name.startswith("ponte_request_seconds_bucket") for name in found_)
    assert found_['ponte_requests_total{method="GET",route="/cases/{code}",status="200"}'] == 1
    for secret in (rows[1].code, "Prova", "wanda", "Wanda"):
        assert secret not in text_


def test_the_numbers_are_for_this_machine_or_for_whoever_shows_the_token(site: Site, tmp_path: Path) -> None:
    far = TestClient(site.app, base_url=HOST, client=("203.0.113.7", 50_000))
    assert far.get("/metrics").status_code == 403
    proxied = site.visitor().get("/metrics", headers={"x-forwarded-for": "203.0.113.7"})
    assert proxied.status_code == 403, "behind a proxy everybody comes from this machine"
    far.close()


@pytest.fixture
def guarded(store: Store, tmp_path: Path) -> Iterator[Site]:
    """A site whose numbers want a token."""
    made = make_site(store, tmp_path / "home", metrics_token="a token of sixteen")
    yield made
    made.close()


def test_with_a_token_nobody_reads_the_numbers_without_it(guarded: Site) -> None:
    browser = guarded.visitor()
    assert browser.get("/metrics").status_code == 403
    assert browser.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 403
    answer = browser.get("/metrics", headers={"authorization": "Bearer a token of sixteen"})
    assert answer.status_code == 200 and "ponte_cases" in answer.text
