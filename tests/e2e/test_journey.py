"""One household from detection to follow-up, by people of three partners, in Italian: with a mouse, without JavaScript,
on a phone, and by keyboard alone."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from tests.browser import chromium
from tests.builders import create_movement
from tests.e2e.town import FIRST, Hands, Town, a_town

__all__ = ["chromium"]
LAST = date(2026, 6, 8)  # a Monday


@pytest.fixture
def town(tmp_path: Path, sqlite_template: Path, cipher: Any) -> Iterator[Town]:
    database = tmp_path / "ponte.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    with a_town(database, cipher, tmp_path / "home", mails=("casa@example.org",)) as made:
        yield made


WAYS = [
    pytest.param({"viewport": {"width": 1280, "height": 900}}, False, id="mouse"),
    pytest.param({"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False}, False, id="no-javascript"),
    pytest.param({"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}, False, id="phone"),
    pytest.param({"viewport": {"width": 1280, "height": 900}}, True, id="keyboard"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("how", "keyboard"), WAYS)
def test_a_household_goes_from_detection_to_follow_up(
    town: Town, chromium: Browser, how: dict[str, Any], keyboard: bool
) -> None:
    context = chromium.new_context(locale="it-IT", **how)
    context.set_default_timeout(10_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.on("response", lambda response: broken.append(response.url) if response.status >= 500 else None)
    hands = Hands(page, town, keyboard=keyboard)
    town.night(FIRST)  # detection opens the case

    hands.sign_in("sara")
    hands.assign("wanda")
    hands.sign_in("wanda")
    confirm = "Conferma: difficoltà oggettiva e transitoria"
    hands.take(confirm, cause="dismissal", objective=True, transitory=True)
    hands.take("Registra un tentativo di contatto", channel="door", outcome="spoken")
    hands.take("Incontro avvenuto")
    hands.take("Consenso e patto di partecipazione", privacy_consent=True, participation=True)
    hands.take("Valutazione del nucleo conclusa")
    hands.take("Dati FSE di ingresso completi")
    page.goto(f"{town.address}/cases/{town.code}")
    expect(page.locator("#next")).to_contain_text("ogni adulto deve avere un PIP firmato o un motivo registrato")
    hands.take("Avvia il PIP di un adulto", person=town.people[0])

    hands.sign_in("gino")
    hands.take("Valutazione conclusa", of=town.people[0])
    hands.write_pip(town.people[0])
    hands.take("Proponi il PIP", of=town.people[0])
    hands.take("PIP firmato", of=town.people[0], signed_by_person=True, signed_by_operator=True)
    hands.sign_in("wanda")
    hands.take("Avvia il percorso")
    hands.take(
        "Piano firmato da nucleo e gestore",
        total="600,00",
        instalments=3,
        first_due_on=date(2026, 4, 4),
        signed_by_household=True,
        signed_by_landlord=True,
    )
    hands.sign_in("gino")
    hands.take(
        "Inserimento lavorativo",
        of=town.people[0],
        employer="Una ditta",
        placement_kind="fixed_term",
        placed_on=date(2026, 3, 3),
    )
    hands.sign_in("vera")
    for what in ("event", "emporio", "training"):
        hands.take("Registra una partecipazione", participated_in=what)

    with town.site.ponte.store.transaction() as tx:
        for month in (4, 5, 6):
            create_movement(tx, town.account, cents=-20_000, on=date(2026, month, 4))
    town.night(LAST)
    hands.sign_in("gino")
    hands.take("Inserimento mantenuto (90 giorni)", of=town.people[0])
    hands.sign_in("wanda")
    hands.take("Passa al monitoraggio")
    page.goto(f"{town.address}/cases/{town.code}")
    expect(page.locator("svg.pathway")).to_have_attribute("aria-label", "Stato: Monitoraggio")
    assert page.evaluate("document.documentElement.scrollWidth") <= how["viewport"]["width"], "nothing hangs over"
    assert broken == []
    with town.site.ponte.store.reading() as tx:
        assert tx.connection.execute(text("SELECT configuration FROM cases")).scalar_one() == "follow_up"
    context.close()
