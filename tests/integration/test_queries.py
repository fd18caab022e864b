"""A page asks the database as often for sixty cases as for five, and for a long history as for a short one."""

from datetime import timedelta

from sqlalchemy import event
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.store.engine import Store
from tests.builders import create_ledger, create_person
from tests.site import Site

TODAY = clock.today()
FEW, MANY = 5, 60


def asked(store: Store, browser: TestClient, path: str, text: str | None = None) -> list[str]:
    """The statements of one request; of the second one, because a process reads its pathways once."""
    found: list[str] = []

    def note(*given: object) -> None:
        found.append(str(given[2]))

    for _time in range(2):
        found.clear()
        event.listen(store.engine, "before_cursor_execute", note)
        answer = browser.get(path) if text is None else browser.post(path, data={"text": text})
        event.remove(store.engine, "before_cursor_execute", note)
        assert answer.status_code == 200, path
    return found


def add(site: Site, n: int) -> str:
    """So many cases with a worker, and as many that nobody has; the code of the last with a worker."""
    code = ""
    with site.ponte.store.transaction() as tx:
        for _n in range(n):
            site.team.open_case(tx, TODAY - timedelta(days=30))
            code = site.team.open_case(tx, TODAY - timedelta(days=30), adults=2).code
            site.team.do(tx, "sara", code, "assign", TODAY - timedelta(days=20), case_worker="wanda")
            site.team.do(tx, "wanda", code, "confirm", TODAY - timedelta(days=20),
                         cause="dismissal", objective=True, transitory=True)  # fmt: skip
    return code


def test_lists_ask_the_same_for_five_cases_as_for_sixty(site: Site) -> None:
    pages: dict[str, tuple[str, str, str | None]] = {
        "worktray of a case worker": ("wanda", "/", None),
        "worktray of a supervisor": ("sara", "/", None),
        "worktray of a job agency": ("gino", "/", None),
        "worktray of a lead": ("lidia", "/", None),
        "one section": ("wanda", "/?section=overdue", None),
        "cases of a case worker": ("wanda", "/cases", None),
        "cases of a lead": ("lidia", "/cases", None),
        "search": ("wanda", "/search", "Prova"),
        "supervision": ("sara", "/supervision", None),
        "unassigned": ("sara", "/supervision?section=unassigned", None),
        "workload": ("sara", "/supervision?section=workload", None),
        "heat map": ("sara", "/supervision/pathway", None),
        "heat map of a lead": ("lidia", "/supervision/pathway", None),
    }
    browsers = {username: site.signed_in(username) for username in {one[0] for one in pages.values()}}

    def measured() -> dict[str, int]:
        store = site.ponte.store
        return {name: len(asked(store, browsers[who], path, text)) for name, (who, path, text) in pages.items()}

    add(site, FEW)
    few = measured()
    add(site, MANY - FEW)
    assert browsers["wanda"].get("/").text.count("data-row") == 50, "a page of fifty of the sixty"
    assert measured() == few


def test_a_case_page_asks_the_same_for_a_long_history_as_for_a_short_one(site: Site) -> None:
    store, browser, code = site.ponte.store, site.signed_in("wanda"), add(site, 1)
    short = asked(store, browser, f"/cases/{code}")
    with store.transaction() as tx:
        for day in range(MANY):
            site.team.do(tx, "wanda", code, "record_attempt", TODAY - timedelta(days=10),
                         channel="phone" if day % 2 else "door", outcome="no_answer")  # fmt: skip
        row = site.team.do(tx, "wanda", code, "make_appointment", TODAY - timedelta(days=9),
                           what="colloquio", where="sportello", day=TODAY + timedelta(days=3), hour=10)  # fmt: skip
        for ordinal in range(3, 9):
            create_person(tx, row.household_id, ordinal=ordinal, email=f"p{ordinal}@example.org")
        create_ledger(tx, row.tenancy_id)
        create_ledger(tx, row.tenancy_id, name="AMMINISTRATORE")
    assert asked(store, browser, f"/cases/{code}") == short
