"""Calls that come twice: one deed, one answer; a crash or a refusal leaves neither."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import func, select

from ponte_workflow import clock
from ponte_workflow.api.repeating import UnderWay
from ponte_workflow.store import integrations
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import idempotent_call
from ponte_workflow.store.schema.casework import contact_attempt
from tests.integration.programs import api_of, problem, program, standing
from tests.site import Site

STEP = {"fields": {"channel": "door", "outcome": "spoken"}}
AS_JSON = {"content-type": "application/json"}
DATA = Path(__file__).parents[1] / "data"


def attempts(site: Site) -> int:
    """How many contact attempts are on record."""
    with site.ponte.store.transaction() as tx:
        return tx.connection.execute(select(func.count()).select_from(contact_attempt)).scalar_one()


def kept(site: Site) -> int:
    """How many answers are kept."""
    with site.ponte.store.transaction() as tx:
        return tx.connection.execute(select(func.count()).select_from(idempotent_call)).scalar_one()


def test_the_same_call_gets_the_same_answer_and_does_nothing_twice(site: Site) -> None:
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    one = program(site, "wanda")
    first = one.post(path, "a", json=STEP)
    again = one.post(path, "a", content=b'{ "fields":{"outcome":"spoken","channel":"door"}}', headers=AS_JSON)
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    assert first.headers["etag"] == again.headers["etag"] and attempts(site) == 1
    assert one.post(path, "b", json=STEP).status_code == 200 and attempts(site) == 2


def test_a_key_belongs_to_one_call_and_one_program(site: Site) -> None:
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    one, other = program(site, "wanda"), program(site, "wanda")
    assert one.post(path, "a", json=STEP).status_code == 200
    changed = {"fields": {"channel": "phone", "outcome": "spoken"}}
    assert problem(one.post(path, "a", json=changed))[:2] == (422, "key-reused")
    assert problem(one.post(path.replace("triggers/record_attempt", "undo"), "a"))[:2] == (422, "key-reused")
    assert other.post(path, "a", json=STEP).status_code == 200 and attempts(site) == 2


@pytest.mark.parametrize("key", [None, "", "  ", "x" * 121, "with blank"])
def test_an_unsafe_call_wants_a_key(site: Site, key: str | None) -> None:
    one = program(site, "wanda")
    headers = {} if key is None else {"idempotency-key": key}
    answer = one.client.post(f"/api/v1/cases/{standing(site)}/undo", headers=headers)
    assert problem(answer)[:2] == (400, "incomplete-call")


def test_a_refusal_keeps_no_key_so_that_the_mended_call_may_use_it(site: Site) -> None:
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    one = program(site, "wanda")
    assert problem(one.post(path, "a", json={}))[:2] == (422, "invalid-field") and kept(site) == 0
    assert one.post(path, "a", json=STEP).status_code == 200 and kept(site) == 1


def test_what_breaks_off_leaves_neither_the_step_nor_the_key(site: Site) -> None:
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    one = program(site, "wanda")
    with site.ponte.store.transaction() as tx:  # the answer cannot be kept: after the step, before the commit
        _forbid_answers(tx.connection.dialect.name, tx)
    assert problem(one.post(path, "a", json=STEP))[:2] == (500, "broken")
    assert attempts(site) == 0 and kept(site) == 0


def _forbid_answers(dialect: str, tx: Transaction) -> None:
    run = tx.connection.exec_driver_sql
    if dialect == "sqlite":
        run("CREATE TRIGGER broken BEFORE UPDATE ON idempotent_call BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
    else:
        run(
            "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$ "
            "LANGUAGE plpgsql"
        )
        run("CREATE TRIGGER broken BEFORE UPDATE ON idempotent_call FOR EACH ROW EXECUTE FUNCTION broken()")


def test_while_a_call_is_under_way_its_repetition_waits(site: Site) -> None:
    code = standing(site)
    one = program(site, "wanda")
    under_way: UnderWay = api_of(site).state.under_way
    with site.ponte.store.transaction() as tx:
        row = integrations.token_by_name(tx, one.name)
    assert row is not None and under_way.take((row.id, "a"))
    path = f"/cases/{code}/triggers/record_attempt"
    assert problem(one.post(path, "a", json=STEP))[:2] == (409, "call-under-way")
    under_way.give_back((row.id, "a"))
    assert one.post(path, "a", json=STEP).status_code == 200 and attempts(site) == 1


def test_of_many_at_once_one_does_it(site: Site) -> None:
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    programs = [program(site, "wanda")] * 8
    start = threading.Barrier(len(programs))

    def call(number: int) -> int:
        start.wait()
        return programs[number].post(path, "a", json=STEP).status_code

    with ThreadPoolExecutor(len(programs)) as pool:
        answers = list(pool.map(call, range(len(programs))))
    assert 200 in answers and set(answers) <= {200, 409} and attempts(site) == 1


def test_of_two_processes_one_does_it(site: Site) -> None:
    """What only the database can hold apart: a second process knows nothing of the keys that the first works on."""
    path = f"/cases/{standing(site)}/triggers/record_attempt"
    one = program(site, "wanda")
    start = threading.Barrier(4)

    class Forgetful(UnderWay):
        def take(self, one: tuple[int, str]) -> bool:
            return True

    api_of(site).state.under_way = Forgetful()

    def call(_number: int) -> int:
        start.wait()
        return one.post(path, "a", json=STEP).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(call, range(4)))
    assert answers == [200] * 4 and attempts(site) == 1


def test_answers_are_kept_encrypted_and_for_a_day(site: Site) -> None:
    code = standing(site)
    path = f"/cases/{code}/triggers/record_attempt"
    one = program(site, "wanda")
    assert one.post(path, "a", json=STEP).status_code == 200
    with site.ponte.store.transaction() as tx:
        answer = tx.connection.execute(select(idempotent_call.c.answer)).scalar_one()
        assert code not in answer and code in tx.cipher.decrypt(answer)
    tomorrow = clock.now() + timedelta(hours=25)
    with clock.told_by(lambda: tomorrow):
        assert one.post(path, "b", json=STEP).status_code == 200 and kept(site) == 1
        assert one.post(path, "a", json=STEP).headers.get("idempotent-replayed") is None


def test_an_import_sent_again_gives_the_first_report(site: Site) -> None:
    one = program(site, "lidia")
    content = (DATA / "patrimonio.csv").read_bytes()

    def send(key: str, body: bytes = content) -> Response:
        return one.post("/ledger-imports", key, files={"file": ("patrimonio.csv", body, "text/csv")})

    first, again = send("a"), send("a")
    assert first.content == again.content and again.headers["idempotent-replayed"] == "true"
    assert first.json()["new"] > 0
    assert problem(send("a", content + b"\n"))[:2] == (422, "key-reused")
    assert send("b").json()["new"] == 0
