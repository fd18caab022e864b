"""The neighbourhood of the demo: its files, its mix of arrears and how a player changes it."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from stdnum.it import codicefiscale

from ponte_workflow.demo.habits import VANISHING, WEEKS_PLAYED
from ponte_workflow.demo.ledger_files import CONDOMINIUM_LEDGER, DWELLINGS, HOUSEHOLDS, LANDLORD_LEDGER, euro
from ponte_workflow.demo.neighbourhood import Home, Neighbourhood
from ponte_workflow.demo.people import tax_code

LAST = date(2026, 10, 31)
START = LAST - timedelta(weeks=WEEKS_PLAYED)
LEDGERS = (LANDLORD_LEDGER, CONDOMINIUM_LEDGER)


def generate(last: date = LAST, seed: int = 7) -> Neighbourhood:
    return Neighbourhood.generate(seed, date(last.year - 2, last.month, 1), last)


def lines(path: Path, encoding: str = "cp1252") -> list[list[str]]:
    text = path.read_bytes().decode(encoding)
    assert text.endswith("\r\n")
    return [line.split(";") for line in text.split("\r\n")[1:-1]]


def ledger(folder: Path, name: str) -> list[list[str]]:
    return lines(folder / name, "utf-8-sig" if name == CONDOMINIUM_LEDGER else "cp1252")


def arrears(neighbourhood: Neighbourhood, home: Home, on: date) -> str:
    monthly = home.rent_cents + home.service_cents
    balance = neighbourhood.balance(home.tenancy_code, on)
    before = neighbourhood.balance(home.tenancy_code, on.replace(year=on.year - 1))
    if balance < monthly:
        return "regular"
    if balance < 2 * monthly or balance < 15_000:
        return "watch"
    if balance > 400_000 or balance > 12 * monthly:
        return "serious"
    return "persistent" if before > monthly else "contained"


def classes(neighbourhood: Neighbourhood, on: date) -> Counter[str]:
    return Counter(arrears(neighbourhood, home, on) for home in neighbourhood.homes)


def in_arrears(neighbourhood: Neighbourhood) -> str:
    """A household that pays nothing any more."""
    unpaid = (h for h in neighbourhood.homes if h.habit.kind == "lost_income" and h.habit.share == 0)
    return next(h.tenancy_code for h in unpaid if arrears(neighbourhood, h, START) == "contained")


def some_home(neighbourhood: Neighbourhood, kind: str) -> Home:
    return next(home for home in neighbourhood.homes if home.habit.kind == kind)


def test_the_four_files_have_the_form_of_a_landlords_export(tmp_path: Path) -> None:
    generate().write_exports(tmp_path, LAST)
    dwellings = lines(tmp_path / DWELLINGS)
    assert Counter((line[1], line[2]) for line in dwellings) == {
        ("Smeraldo", "Sanpolino"): 96,
        ("Sole", "Sanpolino"): 84,
        ("Torre Cimabue", "San Polo"): 148,
    }
    assert {len(line) for line in dwellings} == {10}
    assert {len(line) for line in lines(tmp_path / HOUSEHOLDS)} == {11}
    assert (tmp_path / CONDOMINIUM_LEDGER).read_bytes().startswith(b"\xef\xbb\xbf")
    for name in LEDGERS:
        assert {len(line) for line in ledger(tmp_path, name)} == {11}
    assert any(byte > 127 for byte in (tmp_path / HOUSEHOLDS).read_bytes())


def test_each_ledger_carries_twelve_repeated_and_five_broken_lines(tmp_path: Path) -> None:
    generate().write_exports(tmp_path, LAST)
    for name in LEDGERS:
        seen = Counter(line[0] for line in ledger(tmp_path, name))
        broken = [movement for movement in seen if movement.startswith("BAD")]
        assert sorted(broken) == ["BADDATA", "BADDUE_IMPORTI", "BADIMPORTO", "BADUTENTE", "BADVUOTO"]
        assert sorted(seen.values())[-13:] == [1] + [2] * 12


def test_every_iuv_has_17_digits_and_a_check_that_holds(tmp_path: Path) -> None:
    generate().write_exports(tmp_path, LAST)
    for name in LEDGERS:
        for line in ledger(tmp_path, name):
            if line[7] != "STORNO":
                assert line[10].isdigit()
                assert len(line[10]) == 17
                assert int("3" + line[10][:-2]) % 93 == int(line[10][-2:])


def test_tax_codes_are_valid_and_contacts_reach_nobody() -> None:
    people = [person for home in generate().homes for person in home.people]
    assert 950 < len(people) < 1150
    for person in people:
        assert codicefiscale.validate(person.tax_code) == person.tax_code
        assert codicefiscale.get_gender(person.tax_code) == person.sex
        assert not person.phone or (person.phone.startswith("300") and len(person.phone) == 10)
        assert not person.email or person.email.endswith("@example.org")
    mails = [person.email for person in people if person.email]
    assert len(mails) == len(set(mails))
    assert {person.language for person in people} == {"it", "en", "ar", "ur", "ro"}


@pytest.mark.parametrize(
    ("surname", "given_name", "first_six"),
    [
        pytest.param("Rossini", "Marco", "RSSMRC", id="plain"),
        pytest.param("Fo", "Io", "FOXIOX", id="too short"),
        pytest.param("D'Onofrio", "Gabriela", "DNFGRL", id="four consonants skip the second"),
        pytest.param("Muñoz", "Zoë", "MNZZOE", id="accents"),
    ],
)
def test_a_tax_code_begins_with_the_letters_of_the_name(surname: str, given_name: str, first_six: str) -> None:
    code = tax_code(surname, given_name, "F", date(1990, 3, 4), "B157")
    assert code.startswith(f"{first_six}90C44B157")


LAST_DAYS = [
    pytest.param(date(2026, 10, 31), id="end of a month"),
    pytest.param(date(2026, 6, 10), id="a due date"),
    pytest.param(date(2026, 3, 5), id="over the turn of the year"),
    pytest.param(date(2025, 11, 23), id="mid month"),
]


@pytest.mark.parametrize("last", LAST_DAYS)
def test_arrears_stand_at_the_start_and_come_up_while_the_demo_plays(last: date) -> None:
    neighbourhood = generate(last)
    before, after = classes(neighbourhood, last - timedelta(weeks=WEEKS_PLAYED)), classes(neighbourhood, last)
    assert 23 <= before["contained"] <= 28
    assert 57 <= after["contained"] <= 63
    assert after["persistent"] == before["persistent"] == 26
    assert after["serious"] == before["serious"] == 9
    vanished = [home for home in neighbourhood.homes if home.habit.kind == "vanishing"]
    assert len(vanished) == sum(VANISHING)
    for home in vanished:
        assert home.habit.repays_on is not None
        assert arrears(neighbourhood, home, home.habit.repays_on - timedelta(days=1)) == "contained"
        assert arrears(neighbourhood, home, home.habit.repays_on) == "regular"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        generate(seed=seed).write_exports(tmp_path / name, START)
    for name in (DWELLINGS, HOUSEHOLDS, *LEDGERS):
        one, two, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two", "other"))
        assert one == two != other


def test_export_and_increments_together_are_the_later_export(tmp_path: Path) -> None:
    neighbourhood = generate()
    neighbourhood.write_exports(tmp_path / "start", START)
    neighbourhood.write_exports(tmp_path / "end", LAST)
    for week in range(WEEKS_PLAYED):
        after = START + timedelta(weeks=week)
        neighbourhood.write_increment(tmp_path / f"week{week}", after, after + timedelta(weeks=1))
    for name in LEDGERS:
        parts = [tmp_path / "start", *(tmp_path / f"week{week}" for week in range(WEEKS_PLAYED))]
        whole = {tuple(line) for part in parts for line in ledger(part, name) if not line[0].startswith("BAD")}
        expected = {tuple(line) for line in ledger(tmp_path / "end", name) if not line[0].startswith("BAD")}
        assert whole == expected
        assert len({line[0] for line in whole}) == len(whole)


def test_an_increment_repeats_a_few_old_movements(tmp_path: Path) -> None:
    neighbourhood = generate()
    neighbourhood.write_increment(tmp_path, START, START + timedelta(weeks=1))
    for name in LEDGERS:
        booked = [date(*map(int, reversed(line[5].split("/")))) for line in ledger(tmp_path, name)]
        assert sum(day <= START for day in booked) == 8
        assert all(START - timedelta(days=30) < day <= START + timedelta(weeks=1) for day in booked)


def test_a_household_that_starts_paying_pays_charges_and_instalments() -> None:
    neighbourhood = generate()
    code = in_arrears(neighbourhood)
    before = neighbourhood.movements(code, START)
    plan = [(START + timedelta(days=20), 3_000), (START + timedelta(days=50), 3_001)]
    neighbourhood.start_paying(code, START + timedelta(days=1), instalments=plan)
    new = [line for line in neighbourhood.movements(code, LAST) if line.booked_on > START]
    assert neighbourhood.movements(code, START) == before
    paid = sum(line.paid_cents for line in new)
    every = neighbourhood.movements(code, LAST)
    charged = sum(line.cents for line in every if line.due_on is not None and START < line.due_on <= LAST)
    assert paid == charged + 6_001
    assert [line.paid_cents for line in new if line.paid_cents in (3_000, 3_001)] == [3_000, 3_001]


def test_a_monthly_extra_brings_the_balance_down_and_never_below_zero() -> None:
    neighbourhood = generate()
    code = in_arrears(neighbourhood)
    owed = neighbourhood.balance(code, START)
    neighbourhood.start_paying(code, START + timedelta(days=1), 5_000)
    assert neighbourhood.balance(code, LAST) == owed - 3 * 5_000
    neighbourhood.start_paying(code, START + timedelta(days=1), 10**6)
    assert neighbourhood.balance(code, date(2027, 11, 30)) == 0


def test_a_household_that_stops_paying_books_nothing_more() -> None:
    neighbourhood = generate()
    home = some_home(neighbourhood, "regular")
    neighbourhood.stop_paying(home.tenancy_code, START + timedelta(days=1))
    later = [line for line in neighbourhood.movements(home.tenancy_code, LAST) if line.booked_on > START]
    assert not any(line.paid_cents for line in later)
    neighbourhood.start_paying(home.tenancy_code, START + timedelta(days=40))
    later = neighbourhood.movements(home.tenancy_code, LAST)
    assert all(
        line.booked_on >= START + timedelta(days=40) for line in later if line.paid_cents and line.booked_on > START
    )
    assert any(line.paid_cents for line in later if line.booked_on > START)


def test_changes_can_be_remembered_and_played_again() -> None:
    first, second = generate(), generate()
    code = some_home(first, "lost_income").tenancy_code
    first.start_paying(code, START + timedelta(days=5), 4_000)
    first.stop_paying(code, START + timedelta(days=60))
    for steering in first.steering:
        second.steer(steering)
    assert second.movements(code, LAST) == first.movements(code, LAST)


def test_an_unknown_tenancy_cannot_be_steered() -> None:
    with pytest.raises(KeyError):
        generate().stop_paying("nobody", START)


def test_too_short_a_ledger_is_refused() -> None:
    with pytest.raises(ValueError, match="20 months"):
        Neighbourhood.generate(7, date(2026, 1, 1), LAST)


@pytest.mark.parametrize(("cents", "text"), [(5, "0,05"), (12345, "123,45"), (-5000, "-50,00"), (100000, "1000,00")])
def test_amounts_are_written_the_italian_way(cents: int, text: str) -> None:
    assert euro(cents) == text
