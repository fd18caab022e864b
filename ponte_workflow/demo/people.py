"""Invented people: names mixed at random from many origins, tax codes that check, contacts that reach nobody."""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from stdnum.it import codicefiscale

SURNAMES = (
    "Abbati", "Ahmed", "Bassi", "Benali", "Bianchi", "Bonomi", "Boteanu", "Caruso", "Cissé", "Colombo", "D'Onofrio",
    "Dallera", "De Luca", "Diallo", "Dragan", "Fall", "Fadlallah", "Ferri", "Galli", "García", "Gashi", "Ghidini",
    "Grigore", "Guerra", "Hussain", "Iqbal", "Kováts", "Krasniqi", "Leone", "Lo Russo", "Mahmood", "Marini", "Melnyk",
    "Mensah", "Muñoz", "Nguyen", "Nicolò", "Okafor", "Olivari", "Palmieri", "Peña", "Petrov", "Popescu", "Quaranta",
    "Rahman", "Ricci", "Rossini", "Sarr", "Serra", "Shala", "Silva", "Singh", "Tanaka", "Testa", "Traoré", "Vitali",
    "Volpe", "Wang", "Zanetti", "Zubair",
)  # fmt: skip
WOMEN = (
    "Adele", "Aicha", "Amina", "Beatrice", "Camila", "Chiara", "Daniela", "Elif", "Emma", "Fatima", "Gabriela",
    "Giulia", "Hanna", "Inês", "Irina", "Jasmine", "Khadija", "Laura", "Lúcia", "Marta", "Nadia", "Noemi", "Olena",
    "Paola", "Rania", "Sara", "Sofia", "Teodora", "Veronica", "Zoë",
)  # fmt: skip
MEN = (
    "Adrian", "Ali", "Andrea", "Babacar", "Bilal", "Carlo", "Cristian", "Dario", "Davide", "Emanuele", "Farid",
    "Filippo", "Giorgio", "Hamza", "Ibrahim", "Jörg", "José", "Kofi", "Lorenzo", "Marco", "Mihai", "Nicolò", "Osman",
    "Pietro", "Rafael", "Rashid", "Samuele", "Tommaso", "Viktor", "Yusuf",
)  # fmt: skip
BORN_IN_ITALY = ("B157", "F205", "D150", "L219", "F839")  # cadastral codes of municipalities
BORN_ABROAD = ("Z330", "Z343", "Z100", "Z129", "Z236", "Z249", "Z138", "Z318", "Z605")  # of countries
LANGUAGES = ("it",) * 14 + ("en", "ar", "ur", "ro") * 2
MONTH_LETTERS = "ABCDEHLMPRST"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a household, as a line of nuclei.csv."""

    surname: str
    given_name: str
    sex: str
    birth_date: date
    tax_code: str
    relation: str
    phone: str
    email: str
    language: str


def tax_code(surname: str, given_name: str, sex: str, birth_date: date, place: str) -> str:
    """The codice fiscale (DM 12 March 1974): 16 characters with their control character."""
    consonants, vowels = _letters(given_name)
    if len(consonants) > 3:
        consonants = consonants[0] + consonants[2:]
    name_part = (consonants + vowels + "XXX")[:3]
    surname_part = ("".join(_letters(surname)) + "XXX")[:3]
    day = birth_date.day + (40 if sex == "F" else 0)
    first = f"{surname_part}{name_part}{birth_date:%y}{MONTH_LETTERS[birth_date.month - 1]}{day:02d}{place}"
    return first + str(codicefiscale.calc_check_digit(first))


def _letters(name: str) -> tuple[str, str]:
    plain = [c for c in _ascii(name).upper() if c.isalpha()]
    return "".join(c for c in plain if c not in "AEIOU"), "".join(c for c in plain if c in "AEIOU")


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def household(random: Random, number: int, today: date) -> tuple[Person, ...]:
    """The people of one home: a tenant, often a partner and children. `number` keeps the contacts of homes apart."""
    surname = random.choice(SURNAMES)
    language = random.choice(LANGUAGES)
    age = random.randint(27, 74)
    people = [_adult(random, number, 0, surname, age, "intestatario", language, today)]
    if random.random() < 0.68:
        other = random.choice(SURNAMES)
        spouse_age = max(24, age + random.randint(-8, 6))
        people.append(_adult(random, number, 1, other, spouse_age, "coniuge/convivente", language, today))
    children = random.choices((0, 1, 2, 3, 4), (12, 21, 30, 21, 16))[0] if age < 62 else random.choice((0, 0, 0, 1))
    for _child in range(children):
        years = random.randint(0, max(1, min(22, age - 22)))
        people.append(_person(random, surname, years, "figlio/a", language, "", "", today))
    return tuple(people)


def _adult(
    random: Random, number: int, place: int, surname: str, age: int, relation: str, language: str, today: date
) -> Person:
    # No Italian operator has the prefix 300: these numbers ring nowhere.
    phone = f"3005{number:04d}{place:02d}"
    person = _person(random, surname, age, relation, language, phone, "", today)
    local = f"{_ascii(person.given_name)}.{_ascii(surname)}{number}".lower().replace(" ", "").replace("'", "")
    has_mail, has_phone = random.random() < 0.7, random.random() < 0.9
    return Person(
        person.surname,
        person.given_name,
        person.sex,
        person.birth_date,
        person.tax_code,
        relation,
        phone if has_phone or not has_mail else "",
        f"{local}@example.org" if has_mail else "",
        language,
    )


def _person(
    random: Random, surname: str, years: int, relation: str, language: str, phone: str, email: str, today: date
) -> Person:
    sex = random.choice("FM")
    given_name = random.choice(WOMEN if sex == "F" else MEN)
    birth_date = today - timedelta(days=years * 365 + random.randint(1, 364))
    place = random.choice(BORN_IN_ITALY if random.random() < 0.55 else BORN_ABROAD)
    code = tax_code(surname, given_name, sex, birth_date, place)
    return Person(surname, given_name, sex, birth_date, code, relation, phone, email, language)
