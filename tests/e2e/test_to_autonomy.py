"""Two adults on their whole way, from arrears to autonomy, by four people of four partners; every message and letter read."""

import email
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from ponte_workflow.services import auditing
from tests.browser import chromium
from tests.builders import create_movement
from tests.e2e.town import FIRST, Hands, Town, a_town
from tests.integration.mail_server import Post, mail_server

__all__ = ["chromium"]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def town(tmp_path: Path, sqlite_template: Path, cipher: Any, post: Post) -> Iterator[Town]:
    database = tmp_path / "ponte.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    with mail_server(post) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none"}
        with a_town(database, cipher, tmp_path / "home", mails=("casa@example.org", None), **mail) as made:
            yield made


class Partners(Hands):
    """The four of them: ALER's lead, the cooperative's case worker, the agency, the volunteers."""

    def __init__(self, page: Page, town: Town) -> None:
        super().__init__(page, town, keyboard=False)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.town.address}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def plan_event(self, kind: str, title: str, day: date) -> str:
        """An event by its page, with the household invited; its path."""
        self.go("/events")
        starts, ends = f"{day}T18:30", f"{day}T20:30"
        for name, value in {"kind": kind, "quarter": "sanpolino", "title": title, "place": "Sala"}.items():
            self._fill(name, value)
        self.page.locator("main form [name='starts']").fill(starts)
        self.page.locator("main form [name='ends']").fill(ends)
        self.press("Programma")
        expect(self.page.locator(".alert-success")).to_contain_text("L'evento è in programma")
        self.page.locator("#invite-code").fill(self.town.code)
        self.press("Invita")
        expect(self.page.locator(".alert-success")).to_contain_text("Invitato")
        return self.page.url.removeprefix(self.town.address)

    def write_down_who_came(self, event: str) -> None:
        self.sign_in("vera")
        self.go(event)
        self.page.locator("#attend-code").fill(self.town.code)
        self.press("Annota")
        expect(self.page.locator(".alert-success")).to_contain_text("Presenze annotate")

    def print_and_post(self) -> str:
        """The letters that wait go to the printer and to the post; what stands in them."""
        self.sign_in("lidia")
        self.go("/letters")
        self.press("Stampa tutte quelle in attesa")
        link = self.page.get_by_role("link", name="Tutte le lettere (PDF)").get_attribute("href")
        pdf = self.page.request.get(f"{self.town.address}{link}").body()
        self.press("Segna le selezionate come spedite")
        expect(self.page.locator(".alert-success")).to_be_visible()
        return "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf)).pages)

    def standing(self, state: str) -> None:
        self.go(f"/cases/{self.town.code}")
        expect(self.page.locator("svg.pathway")).to_have_attribute("aria-label", re.compile(state))


def texts(post: Post, address: str) -> list[tuple[str, str]]:
    """Subject and plain text of every mail to an address, in the order in which they came."""
    mails = [email.message_from_bytes(raw, policy=modern) for raw in post.mails]
    found = []
    for mail in mails:
        body = mail.get_body(("plain",))
        if address in str(mail["To"]) and body is not None:
            found.append((str(mail["Subject"]), str(body.get_content())))
    return found


def pay(town: Town, cents: int, *days: date) -> None:
    with town.site.ponte.store.transaction() as tx:
        for day in days:
            create_movement(tx, town.account, cents=-cents, on=day)


@pytest.mark.slow
def test_four_partners_bring_two_adults_from_arrears_to_autonomy(town: Town, post: Post, chromium: Browser) -> None:
    context = chromium.new_context(locale="it-IT", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("response", lambda response: broken.append(response.url) if response.status >= 500 else None)
    hands = Partners(page, town)
    first, second = town.people
    town.night(FIRST)  # detection opens the case

    hands.sign_in("lidia")
    hands.assign("wanda")
    hands.sign_in("wanda")
    hands.take("Conferma: difficoltà oggettiva e transitoria", cause="dismissal", objective=True, transitory=True)
    town.live_until(date(2026, 3, 5))
    hands.sign_in("wanda")
    hands.take("Registra un tentativo di contatto", channel="door", outcome="spoken")
    hands.take("Incontro avvenuto")
    hands.take("Consenso e patto di partecipazione", privacy_consent=True, participation=True)
    hands.take("Valutazione del nucleo conclusa")
    hands.take("Dati FSE di ingresso completi")
    for person in town.people:
        hands.take("Avvia il PIP di un adulto", person=person)
    hands.sign_in("gino")
    for person in town.people:
        hands.take("Valutazione conclusa", of=person)
        hands.write_pip(person)
        hands.take("Proponi il PIP", of=person)
    town.live_until(date(2026, 3, 13))  # two messages a week and no more: the letter waits for its turn
    letters = hands.print_and_post()
    assert "Persona2 Prova" in letters, "who has no mail address gets a letter"
    hands.sign_in("gino")
    for person in town.people:
        hands.take("PIP firmato", of=person, signed_by_person=True, signed_by_operator=True)
    hands.sign_in("wanda")
    hands.take("Avvia il percorso")
    plan = {"signed_by_household": True, "signed_by_landlord": True}
    hands.take(
        "Piano firmato da nucleo e gestore", total="600,00", instalments=3, first_due_on=date(2026, 4, 4), **plan
    )
    hands.sign_in("gino")
    hands.take("Inizia a cercare lavoro", of=second)
    work = {"employer": "Una ditta", "placement_kind": "fixed_term"}
    hands.take("Inserimento lavorativo", of=first, placed_on=date(2026, 3, 13), **work)

    held = {
        date(2026, 3, 20): ("dinner", "Cena"),
        date(2026, 4, 10): ("course", "Corso"),
        date(2026, 5, 4): ("swap", "Scambio"),
    }
    for day, (kind, title) in held.items():
        town.live_until(day - timedelta(days=10))
        hands.sign_in("vera")
        event = hands.plan_event(kind, f"{title} di cortile", day)
        if day.month == 4:
            pay(town, 20_000, date(2026, 4, 3))
        town.live_until(day)
        hands.write_down_who_came(event)
    hands.standing("Percorso civico: radicata")

    town.live_until(date(2026, 5, 5))
    hands.sign_in("gino")
    hands.take(
        "Inserimento terminato", of=first, ended_on=date(2026, 5, 4), end_reason="contract_over", reason="Finito"
    )
    hands.sign_in("wanda")
    expect(page.locator("main")).to_contain_text("Rivedere il piano di rientro prima della prossima rata")
    hands.take("Rinegozia il piano", reason="Il lavoro è finito")
    hands.take(
        "Piano firmato da nucleo e gestore", total="400,00", instalments=4, first_due_on=date(2026, 6, 6), **plan
    )
    hands.go(f"/cases/{town.code}/plans")
    expect(page.locator("main")).to_contain_text("sostituito")
    pay(town, 10_000, *(date(2026, month, 5) for month in (6, 7, 8, 9)))
    town.live_until(date(2026, 6, 8))
    hands.sign_in("gino")
    hands.take("Inserimento lavorativo", of=first, placed_on=date(2026, 6, 8), **work)
    hands.take("Concludi il PIP", of=second, reason="Frequenta la scuola serale")

    town.live_until(date(2026, 9, 10))
    hands.sign_in("gino")
    hands.take("Inserimento mantenuto (90 giorni)", of=first)
    hands.sign_in("wanda")
    hands.take("Passa al monitoraggio")
    town.live_until(date(2027, 3, 15))
    hands.sign_in("wanda")
    hands.take("Registra il questionario FSE", survey="done")
    hands.take("Autonomia raggiunta")
    hands.standing("Conclusa: autonomia")
    context.close()
    assert broken == []

    read = all_that_was_written(town, post, letters)
    assert read == EXPECTED, "every message and letter, each as often as it should"


# Subject -> how often it reached the household, by mail or letter.
EXPECTED = {
    "Ci piacerebbe conoscerla": 1,
    "Il suo piano personale è pronto": 2,  # each adult once: both had signed when they were to be reminded
    "Il piano che abbiamo firmato: il calendario": 2,
    "Cena di cortile: la aspettiamo": 1,
    "Corso di cortile: la aspettiamo": 1,
    "Scambio di cortile: la aspettiamo": 1,
    "Un promemoria per": 6,
    "Grazie: il piano è concluso": 1,
}


def all_that_was_written(town: Town, post: Post, letters: str) -> dict[str, int]:
    """Reads all that was written to the household, and holds it against what Ponte says has left."""
    told = texts(post, "casa@example.org")
    for subject, body in told:
        assert body.startswith("Gentile Persona1 Prova,") and "030 0000000" in body, subject
        assert "P-000001" not in body and "None" not in body and "{" not in body, "no code of ours, nothing unfilled"
    assert letters.count("Gentile Persona2 Prova,") == letters.count("Persona2 Prova\nVia 1, A/1") == 1
    with town.site.ponte.store.reading() as tx:
        status = "SELECT status, count(*) FROM outbox WHERE recipient LIKE 'person:%' GROUP BY status"
        assert dict(tx.connection.execute(text(status)).tuples().all()) == {
            "sent": len(told) + 1,
            "withdrawn": 2,
        }  # those reminders
        assert auditing.verify(tx, town.site.ponte.pathways).sound
    found = Counter({wanted: sum(subject.startswith(wanted) for subject, _body in told) for wanted in EXPECTED})
    assert sum(found.values()) == len(told), "no subject that nobody expects"
    found["Il suo piano personale è pronto"] += 1
    return dict(found)
