"""The morning's digest in words, and what single notices ask people to do."""

from datetime import date
from typing import Any

from ponte_workflow.i18n import LANGUAGES
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.words import labels_in
from ponte_workflow.store import cases, digests, ledger, nights, todos
from ponte_workflow.store.cases import Listed
from ponte_workflow.store.digests import Notice
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member
from ponte_workflow.store.outbox import ClaimedRow
from states.document import Text
from states.pathway import Pathway
from states.roles import ROLE_NAMES

WHAT_TO_DO = {
    "plan_breached": Text(
        it="Decidere: rinegoziare, scusare o inviare ad altro servizio", en="Decide: renegotiate, excuse or refer"
    ),
    "household_member_deceased": Text(
        it="Fermare ogni iniziativa verso il nucleo; decidere insieme come stargli vicino",
        en="Stop every initiative towards the household; decide together how to be near it",
    ),
    "referral_refused": Text(
        it="Il caso resta con noi: decidere come proseguire", en="The case stays with us: decide how to go on"
    ),
    "referral_silence": Text(
        it="Il servizio non ha risposto: sentirlo, o ritirare l'invio",
        en="The service has not answered: ask it, or revoke the referral",
    ),
    "glass_opened": Text(
        it="Parlarne con chi ha aperto il caso; poi segnare l'accesso come visto",
        en="Talk about it with whoever opened the case; then mark the access as seen",
    ),
    "task": Text(
        it="Un compito è in scadenza: aprirlo fra i propri compiti", en="A task is due: open it among your tasks"
    ),
    "task_late": Text(
        it="Un compito è scaduto da una settimana: sentire chi deve farlo",
        en="A task has been due for a week: ask whoever has it",
    ),
    "todo": Text(it="Un compito che ci si è dati è in scadenza", en="A task that you noted is due"),
    "handover": Text(
        it="Il caso le è stato affidato: leggerlo e presentarsi al nucleo",
        en="The case was given to you: read it and introduce yourself to the household",
    ),
    "appointment": Text(
        it="Appuntamento con il nucleo: luogo e ora sono in Agenda",
        en="Appointment with the household: place and hour are under Agenda",
    ),
}
# Notices that each speak of one thing of its own; those of clocks are gathered by case.
SINGLE = ("task", "task_late", "todo", "appointment", "referral_silence")


def digest(
    tx: Transaction, pathways: Pathways, row: ClaimedRow, member: Member, on: date, ledger_max_age_days: int
) -> dict[str, Any]:
    """The data of a digest, in the language of whoever gets it."""
    language = member.language if member.language in LANGUAGES else "it"
    sections: dict[str, list[dict[str, Any]]] = {"urgent": [], "today": [], "information": []}
    stalled: list[dict[str, Any]] = []
    for notices in _grouped(digests.notices_of(tx, row.id)):
        newest = notices[-1]
        shown = cases.listed(tx, cases.where_id(newest.case_id))[0] if newest.case_id is not None else None
        if shown is not None and newest.rule == "stall":
            stalled.append(
                _stalled_row(pathways.pinned(tx, shown.case.pathway_version_id), shown, newest, on, language)
            )
            continue
        section = {"escalate": "urgent", "remind": "today"}.get(newest.kind, "information")
        if shown is None:
            sections[section].append(_own_row(newest, on, language))
        else:
            pathway = pathways.pinned(tx, shown.case.pathway_version_id)
            sections[section].append(_row(tx, pathway, shown, notices, on, language))
    day = date.fromisoformat(row.data["on"])
    return {
        "greeting": member.name,
        "on": day,
        "stalled": tuple(stalled),
        "missed_nights": tuple(nights.replayed_since_last_real(tx, day)),
        "stale_ledger": tuple(
            {"creditor": name, "newest_on": newest_on}
            for name, newest_on in ledger.ledger_dates(tx).items()
            if newest_on is None or (day - newest_on).days > ledger_max_age_days
        ),
        **{name: tuple(rows) for name, rows in sections.items()},
    }


def what_to_do(tx: Transaction, pathway: Pathway | None, rule: str) -> Text | None:
    """What a notice asks people to do, by its rule; None when nobody knows."""
    beginning, _slash, number = rule.partition("/")
    if pathway is not None and beginning in ("task", "task_late") and number.isdecimal():
        kind = todos.kind_of(tx, int(number))
        label = task_label(pathway, kind) if kind else None
        if label is not None:
            return label
    say = (pathway.say(rule, 0) or pathway.say(rule, 1)) if pathway is not None else None
    return say or WHAT_TO_DO.get(beginning)


def _row(
    tx: Transaction, pathway: Pathway, shown: Listed, notices: list[Notice], on: date, language: str
) -> dict[str, Any]:
    newest = notices[-1]
    say = what_to_do(tx, pathway, newest.rule)
    since = date.fromisoformat(newest.data["since"]) if "since" in newest.data else newest.due_on
    path = newest.rule.partition("/")[0]
    chart = pathway.household if path in pathway.household.states else pathway.person
    where = chart.label(path).in_(language) if path in chart.states else None
    told = len(notices) + sum(int(notice.data.get("overtaken", 0)) for notice in notices)
    why = {
        "it": f"scadenza del {newest.due_on:%d/%m/%Y}" + (f", {told} avvisi" if told > 1 else ""),
        "en": f"due on {newest.due_on:%d/%m/%Y}" + (f", {told} reminders" if told > 1 else ""),
    }[language]
    return {
        "case_code": shown.case.code,
        "household": shown.household,
        "place": shown.place,
        "state": where or "; ".join(labels_in(pathway, shown.case.configuration, language)),
        "why": why,
        "since": since,
        "waiting_days": max((on - since).days, 0),
        "what_to_do": say.in_(language) if say else newest.rule,
        "link": f"ponte case why {shown.case.code}",
        "kind": newest.kind,
    }


def _own_row(notice: Notice, on: date, language: str) -> dict[str, Any]:
    """A notice about no case: a task that somebody noted for themselves."""
    words = {"it": ("compito proprio", "in scadenza"), "en": ("own task", "due")}[language]
    say = WHAT_TO_DO.get(notice.rule.partition("/")[0])
    return {
        "case_code": "—",
        "household": words[0],
        "place": "—",
        "state": words[1],
        "why": f"{notice.due_on:%d/%m/%Y}",
        "since": notice.due_on,
        "waiting_days": max((on - notice.due_on).days, 0),
        "what_to_do": say.in_(language) if say else notice.rule,
        "link": "ponte task list",
        "kind": notice.kind,
    }


def _stalled_row(pathway: Pathway, shown: Listed, notice: Notice, on: date, language: str) -> dict[str, Any]:
    waits_on = ", ".join(
        ROLE_NAMES[role].in_(language) for role in pathway.household.waits_on(shown.case.configuration)
    )
    since = date.fromisoformat(notice.data["since"])
    return {
        "case_code": shown.case.code,
        "household": shown.household,
        "place": shown.place,
        "waits_on": waits_on or "—",
        "since": since,
        "days": max((on - since).days, 0),
    }


def _grouped(notices: list[Notice]) -> list[list[Notice]]:
    grouped: dict[tuple[int | None, str], list[Notice]] = {}
    for notice in notices:
        single = notice.case_id is None or notice.rule.partition("/")[0] in SINGLE
        grouped.setdefault((notice.case_id, notice.rule if single else ""), []).append(notice)
    return list(grouped.values())
