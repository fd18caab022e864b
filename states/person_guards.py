"""The guards of a person's own machine: PIP and placements."""

from datetime import date

from states.document import Parameters, Text
from states.situation import Guard, Situation


def _placed_days(s: Situation) -> int:
    placed_on = s.latest("placed_on", s.person_id)
    return (s.on - placed_on).days if isinstance(placed_on, date) else 0


def _ends_before_start(s: Situation) -> bool:
    started, ended = s.latest("placed_on", s.person_id), s.fields.get("ended_on")
    return isinstance(started, date) and isinstance(ended, date) and ended < started


def _start(s: Situation) -> str:
    started = s.latest("placed_on", s.person_id)
    return started.strftime("%d/%m/%Y") if isinstance(started, date) else "-"


def _days(parameters: Parameters) -> int:
    value = parameters["days"]
    assert isinstance(value, int)
    return value


PERSON_GUARDS: tuple[Guard, ...] = (
    Guard(
        "pip_complete",
        Text(
            it="il PIP va completato: punto di partenza, obiettivi, almeno un'azione, data della verifica",
            en="the PIP must be complete: starting point, goals, at least one action, the day of its review",
        ),
        ("job_agency", "case_worker"),
        lambda s, p: s.latest("pip_complete", s.person_id) is True,
        reads=frozenset({"pip_complete"}),
    ),
    Guard(
        "pip_signed_by_both",
        Text(
            it="il PIP va firmato dalla persona e dall'operatore",
            en="the person and the operator must both have signed the PIP",
        ),
        ("job_agency", "case_worker"),
        lambda s, p: s.fields.get("signed_by_person") is True and s.fields.get("signed_by_operator") is True,
        asks=True,
    ),
    Guard(
        "not_in_the_future",
        Text(it="la data non può essere nel futuro", en="the day cannot lie in the future"),
        ("job_agency", "case_worker"),
        lambda s, p: not any(isinstance(value, date) and value > s.on for value in s.fields.values()),
        asks=True,
    ),
    Guard(
        "ended_after_start",
        Text(
            it="l'ultimo giorno non può venire prima dell'inizio ({now})",
            en="the last day cannot come before the start ({now})",
        ),
        ("job_agency", "case_worker"),
        lambda s, p: not _ends_before_start(s),
        now=lambda s, p: _start(s),
        asks=True,
    ),
    Guard(
        "placement_lasted",
        Text(
            it="servono {days} giorni di lavoro (ora: {now})",
            en="{days} days at work are needed (now: {now})",
        ),
        ("job_agency",),
        lambda s, p: _placed_days(s) >= _days(p),
        frozenset({"days"}),
        now=lambda s, p: str(_placed_days(s)),
    ),
    Guard(
        "was_in",
        Text(it="il PIP non era in {state}", en="the PIP was not in {state}"),
        ("job_agency",),
        lambda s, p: s.latest("interrupted_from", s.person_id) == p["state"],
        frozenset({"state"}),
    ),
    Guard(
        "not_interrupted",
        Text(it="il PIP è già interrotto", en="the PIP is interrupted already"),
        ("job_agency",),
        lambda s, p: s.journeys.get(s.person_id) != "interrupted",
    ),
)
