"""The guards: named, pure conditions, each with a sentence that says what is needed and who can see to it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from states.document import Parameters, Text
from states.machine import Need
from states.neighbourly_guards import NEIGHBOURLY
from states.person_guards import PERSON_GUARDS
from states.situation import Guard, Situation

__all__ = ["GUARDS", "Guard", "Situation", "exclusive", "need", "parameters_of"]


def need(name: str, parameters: Parameters) -> Need:
    """A guard with its parameters in canonical form: the key by which the machine knows it."""
    return name, json.dumps(parameters, sort_keys=True, separators=(",", ":")) if parameters else ""


@cache
def parameters_of(need_: Need) -> Parameters:
    """The parameters of a need."""
    parameters: Parameters = json.loads(need_[1]) if need_[1] else {}
    return parameters


def _adults_missing(s: Situation) -> list[int]:
    return [
        adult
        for adult in sorted(s.adults)
        if not s.latest("pip_signed", adult) and s.latest("reason_without_pip", adult) is None
    ]


def _participations(s: Situation, parameters: Parameters) -> int:
    since = s.on - timedelta(days=_int(parameters, "within_days"))
    return sum(1 for fact in s.facts if fact.name == "participated_in" and since < fact.on <= s.on)


def _int(parameters: Parameters, name: str) -> int:
    value = parameters[name]
    assert isinstance(value, int)
    return value


def _names(parameters: Parameters, name: str) -> list[str]:
    value = parameters[name]
    assert isinstance(value, list)
    return value


def _final_tracks(s: Situation, p: Parameters) -> bool:
    finals = {"work": ("stable", "not_pursued"), "payment": ("settled",), "community": ("rooted", "not_pursued")}
    return all(
        any(leaf.rsplit(".", 2)[1:] == [track, final] for leaf in s.configuration for final in finals.get(track, ()))
        for track in _names(p, "tracks")
    )


def _payment_well(s: Situation, p: Parameters) -> bool:
    if "active.payment.settled" in s.configuration:
        return True
    return "active.payment.paying" in s.configuration and s.number("on_time_in_a_row") >= _int(p, "in_a_row")


CASE = ("case_worker", "supervisor")
NIGHT = ("system",)


def _proposed(fact: str, nobody_it: str, nobody_en: str) -> tuple[Guard, Guard]:
    """Whether somebody has proposed something that waits for an answer, and whether nobody has."""
    return (
        Guard(
            fact,
            Text(it=nobody_it, en=nobody_en),
            CASE,
            lambda s, p: s.latest(fact) is True,
            reads=frozenset({fact}),
        ),
        Guard(
            f"no_{fact}",
            Text(it="una proposta attende già risposta", en="a proposal already waits for an answer"),
            CASE,
            lambda s, p: s.latest(fact) is not True,
            reads=frozenset({fact}),
        ),
    )


_ALL: tuple[Guard, ...] = (
    Guard(
        "case_worker_of_quarter",
        Text(
            it="serve un operatore attivo di un ente che lavora nel quartiere",
            en="an active case worker of a partner that works in this quarter is needed",
        ),
        ("supervisor",),
        lambda s, p: bool(s.figures.get("assignee_works_here")),
        asks=True,
    ),
    Guard(
        "arrears_gone",
        Text(it="la morosità non è rientrata (ora: {now})", en="the arrears have not gone (now: {now})"),
        ("landlord",),
        lambda s, p: s.figures.get("arrears_class") in ("regular", "watch"),
        now=lambda s, p: str(s.figures.get("arrears_class", "?")),
    ),
    Guard(
        "closing_not_proposed",
        Text(it="la chiusura è già proposta", en="closing has been proposed already"),
        NIGHT,
        lambda s, p: s.latest("closing_proposed") is not True,
    ),
    Guard(
        "contained_again",
        Text(it="non risulta una nuova morosità contenuta (ora: {now})", en="no contained arrears again (now: {now})"),
        NIGHT,
        lambda s, p: s.figures.get("arrears_class") in ("contained", "persistent", "serious"),
        now=lambda s, p: str(s.figures.get("arrears_class", "?")),
    ),
    Guard(
        "objective_and_transitory",
        Text(
            it="la difficoltà va giudicata oggettiva e transitoria; altrimenti respingere o inviare",
            en="the difficulty must be judged objective and transitory; else reject or refer",
        ),
        CASE,
        lambda s, p: s.latest("objective") is True and s.latest("transitory") is True,
        asks=True,
    ),
    Guard(
        "contact_recorded",
        Text(
            it="serve un contatto con una persona: registrare un tentativo con esito «parlato»",
            en="a contact with a person is needed: record an attempt with outcome “spoken”",
        ),
        ("case_worker", "volunteers"),
        lambda s, p: any(attempt.outcome == "spoken" for attempt in s.attempts),
        reads=frozenset({"attempt"}),
    ),
    Guard(
        "attempts",
        Text(
            it="servono almeno {at_least} tentativi su {channels} canali (ora: {now})",
            en="at least {at_least} attempts on {channels} channels are needed (now: {now})",
        ),
        ("case_worker",),
        lambda s, p: (
            len(s.attempts) >= _int(p, "at_least")
            and len({attempt.channel for attempt in s.attempts}) >= _int(p, "channels")
        ),
        frozenset({"at_least", "channels"}),
        now=lambda s, p: f"{len(s.attempts)}/{len({attempt.channel for attempt in s.attempts})}",
        reads=frozenset({"attempt"}),
    ),
    Guard(
        "consents_recorded",
        Text(
            it="servono il consenso privacy e il patto di partecipazione, firmati",
            en="the privacy consent and the participation agreement must be signed",
        ),
        CASE,
        lambda s, p: s.latest("privacy_consent") is True and s.latest("participation") is True,
        asks=True,
    ),
    Guard(
        "household_assessed",
        Text(it="manca la valutazione del nucleo", en="the household assessment is missing"),
        CASE,
        lambda s, p: s.latest("household_assessed") is True,
        reads=frozenset({"household_assessed"}),
    ),
    Guard(
        "every_adult_has_pip_or_reason",
        Text(
            it="ogni adulto deve avere un PIP firmato o un motivo registrato (mancano: {now})",
            en="every adult needs a signed PIP or a recorded reason (missing: {now})",
        ),
        ("case_worker", "job_agency"),
        lambda s, p: not _adults_missing(s),
        now=lambda s, p: str(len(_adults_missing(s))),
        reads=frozenset({"reason_without_pip", "person"}),
    ),
    Guard(
        "esf_entry_complete",
        Text(it="mancano i dati FSE di ingresso", en="the ESF entry data are missing"),
        CASE,
        lambda s, p: s.latest("esf_entry_complete") is True,
        reads=frozenset({"esf_entry_complete"}),
    ),
    Guard(
        "adult_without_journey",
        Text(
            it="la persona scelta deve essere un adulto del nucleo senza un PIP in corso",
            en="the chosen person must be an adult of the household without a PIP under way",
        ),
        CASE,
        lambda s, p: s.latest("person") in s.adults and s.latest("person") not in s.journeys,
        asks=True,
    ),
    Guard(
        "payment_settled_or_steady",
        Text(
            it="il debito deve essere estinto, o {in_a_row} rate di fila pagate puntuali (ora: {now})",
            en="the debt must be settled, or {in_a_row} instalments in a row paid on time (now: {now})",
        ),
        ("case_worker",),
        _payment_well,
        frozenset({"in_a_row"}),
        now=lambda s, p: str(s.number("on_time_in_a_row")),
    ),
    Guard(
        "tracks_final",
        Text(it="questi percorsi devono essere conclusi: {tracks}", en="these tracks must have ended: {tracks}"),
        ("case_worker", "job_agency", "volunteers"),
        _final_tracks,
        frozenset({"tracks"}),
    ),
    Guard(
        "somebody_in",
        Text(it="nessun adulto è in: {states}", en="no adult stands in: {states}"),
        ("job_agency",),
        lambda s, p: any(state in _names(p, "states") for state in s.journeys.values()),
        frozenset({"states"}),
    ),
    Guard(
        "nobody_placed",
        Text(it="un altro adulto lavora ancora", en="another adult is still placed"),
        ("job_agency",),
        lambda s, p: not any(state in ("placed", "kept") for state in s.journeys.values()),
    ),
    Guard(
        "household_in",
        Text(it="il nucleo deve essere in {state}", en="the household must stand in {state}"),
        CASE,
        lambda s, p: p["state"] in s.configuration,
        frozenset({"state"}),
    ),
    Guard(
        "plan_signed_by_both",
        Text(
            it="il piano va firmato dal nucleo e dal gestore",
            en="household and landlord must both have signed the plan",
        ),
        ("case_worker", "landlord"),
        lambda s, p: s.fields.get("signed_by_household") is True and s.fields.get("signed_by_landlord") is True,
        asks=True,
    ),
    Guard(
        "administrator_signed",
        Text(
            it="il debito è anche verso un secondo creditore: firma anche l'amministratore",
            en="a second creditor is owed too: the administrator must sign as well",
        ),
        ("case_worker",),
        lambda s, p: int(s.figures.get("creditors_owed", 0)) < 2 or s.fields.get("signed_by_administrator") is True,
        asks=True,
    ),
    Guard(
        "plan_settled",
        Text(it="il debito del piano non è estinto", en="the plan's debt is not paid"),
        ("landlord",),
        lambda s, p: bool(s.figures.get("plan_settled")),
    ),
    Guard(
        "instalment_beyond_tolerance",
        Text(it="nessuna rata oltre la tolleranza", en="no instalment is late beyond tolerance"),
        NIGHT,
        lambda s, p: s.number("missed_in_a_row") > 0,
    ),
    Guard(
        "instalments_current",
        Text(it="ci sono ancora rate mancate ({now})", en="instalments are still missed ({now})"),
        CASE,
        lambda s, p: s.number("missed_in_a_row") == 0,
        now=lambda s, p: str(s.number("missed_in_a_row")),
    ),
    Guard(
        "missed",
        Text(
            it="servono {in_a_row} rate mancate di fila o {in_all} in tutto (ora: {now})",
            en="{in_a_row} instalments missed in a row or {in_all} in all are needed (now: {now})",
        ),
        NIGHT,
        lambda s, p: (
            s.number("missed_in_a_row") >= _int(p, "in_a_row") or s.number("missed_total") >= _int(p, "in_all")
        ),
        frozenset({"in_a_row", "in_all"}),
        now=lambda s, p: f"{s.number('missed_in_a_row')}/{s.number('missed_total')}",
    ),
    Guard(
        "takes_part",
        Text(
            it="servono {times} partecipazioni in {within_days} giorni (ora: {now}) o ore donate",
            en="{times} participations in {within_days} days are needed (now: {now}), or hours given",
        ),
        ("volunteers",),
        lambda s, p: (
            _participations(s, p) >= _int(p, "times")
            or any(fact.name == "hours_given" and int(str(fact.value)) > 0 for fact in s.facts)
        ),
        frozenset({"times", "within_days"}),
        now=lambda s, p: str(_participations(s, p)),
        reads=frozenset({"participated_in", "hours_given"}),
    ),
    Guard(
        "survey_recorded",
        Text(
            it="serve il questionario FSE, compilato o segnato come non ottenuto",
            en="the ESF survey must be recorded as done or not obtained",
        ),
        CASE,
        lambda s, p: s.latest("survey") in ("done", "not_obtained"),
        reads=frozenset({"survey"}),
    ),
    Guard(
        "referral_open",
        Text(it="non c'è un invio in attesa di risposta", en="no referral waits for an answer"),
        CASE,
        lambda s, p: s.latest("referral_open") is True,
        reads=frozenset({"referral_open"}),
    ),
    Guard(
        "no_referral_open",
        Text(it="un invio attende già risposta", en="a referral already waits for an answer"),
        CASE,
        lambda s, p: s.latest("referral_open") is not True,
        reads=frozenset({"referral_open"}),
    ),
    *_proposed(
        "excuse_proposed", "nessuno ha proposto di scusare le rate", "nobody has proposed to excuse instalments"
    ),
    *_proposed(
        "write_off_proposed", "nessuno ha proposto di condonare il resto", "nobody has proposed to write it off"
    ),
    Guard(
        "appointment_made",
        Text(it="non c'è nessun appuntamento", en="there is no appointment"),
        ("case_worker", "supervisor", "job_agency", "volunteers"),
        lambda s, p: s.latest("appointment_made") is True,
        reads=frozenset({"appointment_made"}),
    ),
    *PERSON_GUARDS,
)

GUARDS: dict[str, Guard] = {guard.name: guard for guard in (*_ALL, *NEIGHBOURLY)}


def exclusive(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two sets of needs can never both hold: only `was_in` with different states says so for certain."""
    return "was_in" in first and "was_in" in second and first["was_in"] != second["was_in"]
