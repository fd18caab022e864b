"""The PIP of a person as a document: where they start, what they want, who does what; and what it still lacks."""

from datetime import date
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from states.document import Text

LONGEST = 2_000  # characters of one answer
MOST_GOALS = 10
HIGHEST_ISEE = 10_000_000  # cents: nobody in public housing comes near it, and a slip of the hand does

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)]
Goal = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]

WORK_SITUATIONS: dict[str, Text] = {
    "employed": Text(it="Occupata", en="Employed"),
    "self_employed": Text(it="Lavoro autonomo", en="Self-employed"),
    "unemployed": Text(it="Disoccupata da meno di un anno", en="Unemployed for less than a year"),
    "long_unemployed": Text(it="Disoccupata da oltre un anno", en="Unemployed for over a year"),
    "inactive": Text(it="Non cerca lavoro", en="Not looking for work"),
    "training": Text(it="In formazione", en="In education or training"),
}
# Levels of the International Standard Classification of Education (ISCED 2011), in the words of Italian schools.
EDUCATION: dict[str, Text] = {
    "0": Text(it="Nessun titolo", en="No qualification"),
    "1": Text(it="Scuola primaria (ISCED 1)", en="Primary school (ISCED 1)"),
    "2": Text(it="Secondaria di primo grado (ISCED 2)", en="Lower secondary school (ISCED 2)"),
    "3": Text(it="Qualifica o diploma (ISCED 3)", en="Upper secondary school (ISCED 3)"),
    "4": Text(it="Formazione dopo il diploma, IFTS (ISCED 4)", en="Post-secondary, not tertiary (ISCED 4)"),
    "5": Text(it="ITS, ciclo breve (ISCED 5)", en="Short-cycle tertiary (ISCED 5)"),
    "6": Text(it="Laurea (ISCED 6)", en="Bachelor (ISCED 6)"),
    "7": Text(it="Laurea magistrale (ISCED 7)", en="Master (ISCED 7)"),
    "8": Text(it="Dottorato (ISCED 8)", en="Doctorate (ISCED 8)"),
}
ACTION_KINDS: dict[str, Text] = {
    "orientation": Text(it="Orientamento", en="Orientation"),
    "training": Text(it="Formazione", en="Training"),
    "cv": Text(it="Curriculum", en="Curriculum vitae"),
    "application": Text(it="Candidatura", en="Application"),
    "interview": Text(it="Colloquio", en="Interview"),
    "tirocinio": Text(it="Tirocinio", en="Traineeship"),
    "placement": Text(it="Inserimento lavorativo", en="Placement"),
    "service": Text(it="Servizio sanitario o di cura", en="Health or care service"),
    "italian": Text(it="Corso di italiano", en="Italian course"),
    "documents": Text(it="Documenti e pratiche", en="Papers and applications"),
    "other": Text(it="Altro", en="Other"),
}
# Who sees to an action: somebody here, or the person.
DOERS: dict[str, Text] = {
    "job_agency": Text(it="agenzia per il lavoro", en="job agency"),
    "case_worker": Text(it="operatore", en="case worker"),
    "volunteers": Text(it="volontari", en="volunteers"),
    "person": Text(it="la persona", en="the person"),
}
OUTCOMES: dict[str, Text] = {
    "done": Text(it="Fatta", en="Done"),
    "partly": Text(it="Fatta in parte", en="Done in part"),
    "not_done": Text(it="Non fatta", en="Not done"),
    "dropped": Text(it="Non serve più", en="Not needed any more"),
}


class PipDocument(BaseModel):
    """One version of a PIP without its actions. Empty texts and None: not asked yet. `isee_cents`: of the household."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    work_situation: str = ""
    since: date | None = None
    education: str = ""
    skills: Words = ""
    languages: Words = ""
    obstacles: Words = ""
    availability: Words = ""
    isee_cents: int | None = Field(default=None, ge=0, le=HIGHEST_ISEE)
    goals: tuple[Goal, ...] = Field(default=(), max_length=MOST_GOALS)
    review_on: date | None = None


class Lack(NamedTuple):
    """Something that a PIP needs before it can be proposed: the part of the document, and what to do about it."""

    part: str
    sentence: Text


def lacks(document: PipDocument, actions: int) -> tuple[Lack, ...]:
    """What is missing before the PIP can be proposed; `actions`: how many it has."""
    found = []
    if not document.work_situation:
        found.append(Lack("work_situation", Text(it="la situazione lavorativa", en="the work situation")))
    if not document.education:
        found.append(Lack("education", Text(it="il titolo di studio", en="the education")))
    if not document.availability:
        found.append(
            Lack("availability", Text(it="la disponibilità (orari, giorni)", en="the availability (hours, days)"))
        )
    if not document.goals:
        found.append(Lack("goals", Text(it="almeno un obiettivo", en="at least one goal")))
    if not actions:
        found.append(
            Lack(
                "actions",
                Text(
                    it="almeno un'azione: chi fa che cosa, entro quando",
                    en="at least one action: who does what, by when",
                ),
            )
        )
    if document.review_on is None:
        found.append(Lack("review_on", Text(it="la data della verifica", en="the day of the review")))
    return tuple(found)


def differences(old: PipDocument, new: PipDocument) -> tuple[str, ...]:
    """Names of the parts in which two versions differ, in the order of the document."""
    return tuple(name for name in PipDocument.model_fields if getattr(old, name) != getattr(new, name))
