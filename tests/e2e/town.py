"""A household's town in a browser: a site whose days pass when a test says so, its nights, its post, and hands at the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.services import night as nights
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import creditor
from tests.browser import served
from tests.builders import create_ledger, create_person, create_tenancy
from tests.site import PASSWORD, Site, make_site

FIRST = date(2026, 3, 2)  # a Monday


@dataclass
class Calendar:
    """The day that everybody lives in."""

    day: date = FIRST

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 9, tzinfo=UTC)


@dataclass
class Town:
    """A site whose days pass when the test says so, with one household in contained arrears."""

    site: Site
    calendar: Calendar
    address: str
    account: int
    people: tuple[int, ...]

    def night(self, day: date) -> None:
        """The nights up to that day; the ledgers are fresh."""
        self.calendar.day = day
        with self.site.ponte.store.transaction() as tx:
            tx.connection.execute(update(creditor).values(ledger_on=day))
        nights.run_nights(self.site.ponte.night_plan("plain"), day, at=self.calendar.now)

    def live_until(self, day: date) -> None:
        """Every night up to that day, and the post of every third morning."""
        while self.calendar.day < day:
            self.night(min(day, self.calendar.day + timedelta(days=3)))
            deliver_all(self.site.ponte, self.calendar.now(), limit=1000)

    @property
    def code(self) -> str:
        with self.site.ponte.store.reading() as tx:
            return str(tx.connection.execute(select(cases.c.code)).scalar_one())


@contextmanager
def a_town(
    database: Path, cipher: Any, home: Path, *, mails: tuple[str | None, ...], **settings: Any
) -> Iterator[Town]:
    """A town with one household in contained arrears; `mails`: the address of each of its adults."""
    engine = open_engine(f"sqlite:///{database}")
    calendar = Calendar()
    with clock.told_by(calendar.now):
        site = make_site(Store(engine, cipher), home, **settings)
        with site.ponte.store.transaction() as tx:
            ids = create_tenancy(tx)
            people = tuple(
                create_person(tx, ids["household_id"], ordinal=n, email=mail) for n, mail in enumerate(mails, 1)
            )
            due = FIRST - timedelta(days=40)
            account = create_ledger(tx, ids["tenancy_id"], cents=60_000, on=FIRST, due_on=due)
        with served(site.app) as address:
            yield Town(site, calendar, address, account, people)
        site.close()
    engine.dispose()


class Hands:
    """Somebody at a browser. `keyboard`: nothing but keys after an address was typed."""

    def __init__(self, page: Page, town: Town, *, keyboard: bool) -> None:
        self.page, self.town, self.keyboard = page, town, keyboard

    def sign_in(self, username: str) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.town.address}/sign-in")
        self._write("username", username)
        self._write("password", PASSWORD)
        if self.keyboard:
            self.page.keyboard.press("Enter")
        else:
            self.page.locator("main form button.btn-primary").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Il mio lavoro")

    def take(self, label: str, *, of: int = 0, **fields: object) -> None:
        """A step of the case's page, by its Italian name; `of`: a person's own step."""
        self.page.goto(f"{self.town.address}/cases/{self.town.code}")
        links = self.page.locator(f"#next a.btn[href$='?person={of}']" if of else "#next a.btn:not([href*='?'])")
        link = links.filter(has_text=label).first
        self._press(link)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(label)
        for name, value in fields.items():
            self._fill(name, value)
        self._press(self.page.locator("main form button.btn-primary").first)
        expect(self.page.locator(".alert-success")).to_contain_text(f"Fatto: {label}")

    def write_pip(self, person: int) -> None:
        """The page of a PIP: the document, then an action."""
        self.page.goto(f"{self.town.address}/cases/{self.town.code}/persons/{person}/pip")
        expect(self.page.locator(".alert-info")).to_contain_text("Prima di proporlo serve")
        document = {"work_situation": "unemployed", "education": "3", "availability": "Mattina", "goals": "Un lavoro"}
        for name, value in document.items():
            self._fill(name, value)
        self._fill("review_on", date(2026, 6, 6))
        self._press(self.page.get_by_role("button", name="Conserva il PIP"))
        expect(self.page.locator(".alert-success")).to_contain_text("Il PIP è conservato")
        self._fill("what", "Scrivere il curriculum")
        self._fill("due_on", date(2026, 4, 4))
        self._press(self.page.get_by_role("button", name="Pianifica l'azione"))
        expect(self.page.locator(".alert-success")).to_contain_text("L'azione è pianificata")

    def assign(self, worker: str) -> None:
        self.take("Assegna a un operatore", case_worker=worker)

    def _press(self, target: Any) -> None:
        if not self.keyboard:
            target.click()
            return
        self._tab_to(target)
        self.page.keyboard.press("Enter")

    def _tab_to(self, target: Any) -> None:
        target.wait_for()
        for _n in range(150):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not lead to {target}")

    def _write(self, name: str, value: str) -> None:
        field = self.page.locator(f"#f-{name}")
        if self.keyboard:
            self._tab_to(field)
            self.page.keyboard.type(value)
        else:
            field.fill(value)

    def _fill(self, name: str, value: object) -> None:
        field = self.page.locator(f"main form [name='{name}']")
        kind = field.first.evaluate("one => one.type")
        if kind == "radio":
            key = {True: "si", False: "no"}.get(value, value) if isinstance(value, bool) else value
            if not self.keyboard:
                self.page.locator(f"main form input[name='{name}'][value='{key}']").check()
                return
            self._tab_to(field.first)
            self.page.keyboard.press("Space")
            wanted = self.page.locator(f"main form input[name='{name}'][value='{key}']")
            for _n in range(field.count()):
                if wanted.is_checked():
                    return
                self.page.keyboard.press("ArrowDown")
            raise AssertionError(f"the arrow keys do not lead to {name}={key}")
        if kind == "select-one":
            if not self.keyboard:
                field.select_option(str(value))
                return
            self._tab_to(field)
            for _n in range(20):
                if field.input_value() == str(value):
                    return
                self.page.keyboard.press("ArrowDown")
            raise AssertionError(f"the arrow keys do not lead to {name}={value}")
        if kind == "date" and isinstance(value, date):
            if self.keyboard:
                assert value.day == value.month, "typed the same way whatever the browser's order of day and month"
                self._tab_to(field)
                self.page.keyboard.type(f"{value:%m%d%Y}")
            else:
                field.fill(value.isoformat())
            return
        if self.keyboard:
            self._tab_to(field)
            self.page.keyboard.type(str(value))
        else:
            field.fill(str(value))
