"""Everything that Ponte keeps about a household, for the household (GDPR, article 15): also who has looked at it."""

from datetime import date
from typing import Any

from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.services.contacts import kind_name
from ponte_workflow.services.message_words import fate_name, message_name, status_name
from ponte_workflow.services.permissions import allowed, require, role_name
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.services.timeline import Told, happenings
from ponte_workflow.services.vulnerability_words import kind_words
from ponte_workflow.services.words import state_labels
from ponte_workflow.store import (
    access,
    appointments,
    community,
    contacts,
    dossiers,
    emporio,
    glass,
    history,
    local_services,
    network,
    people,
    pips,
    placements,
    tracking,
    vulnerability,
)
from ponte_workflow.store.cases import CaseRow, journeys_of
from ponte_workflow.store.dossiers import Recorded
from ponte_workflow.store.engine import Transaction
from states.pathway import Pathway

_OF_A_REFERRAL = frozenset(
    {
        "kind",
        "status",
        "consent_on",
        "proposed_on",
        "due_on",
        "answered_on",
        "ended_on",
        "receiving",
        "reason",
        "answer",
    }
)
_ALL = 100_000  # lines of a book


def everything_about(tx: Transaction, who: Occasion, code: str) -> dict[str, Any]:
    """Plain values, amounts in cents, days and moments in ISO form. Names of staff become role and organisation.

    Special-category notes are in it only for those who may read them: the household asks its case worker for them.
    """
    require(who.actor, "household.export")
    standing = look(tx, who, code)
    row, pathway = standing.row, standing.pathway
    leave_trace(tx, who.actor, "household.export", row, who.at)
    staff = network.members(tx)
    home = dossiers.home(tx, row.tenancy_id)
    return {
        "case": code,
        "on": who.on.isoformat(),
        "language": language(),
        "home": _plain(home._asdict()),
        "persons": _persons(tx, row, pathway),
        "consents": [_plain(dict(zip(("kind", "given_on", "withdrawn_on"), one, strict=True))) for one in
                     dossiers.consents(tx, row.household_id)],
        "stands_in": list(state_labels(pathway, row.configuration)),
        "opened_on": row.opened_on.isoformat(),
        "closed_on": row.closed_on.isoformat() if row.closed_on else None,
        "history": _history(tx, row, pathway, staff),
        "confidential_notes": _special(tx, who, row),
        "flags": _flags(tx, who, row),
        "messages": _messages(tx, row),
        "payment_plan": _plan(tx, row),
        **_life(tx, row),
        "ledger": [_plain(line._asdict()) for line in dossiers.ledger_lines(tx, row.tenancy_id, who.on)],
        "other_cases": [code for code, _first, _last in dossiers.other_cases(tx, row)],
        "opened_with_reason": [
            {"at": one.at.isoformat(), "until": one.until_at.isoformat(), "by": _by(staff, one.staff_id), "why": one.reason}
            for one in glass.of_household(tx, row.household_id)
        ],
        "looked_at": [
            {"at": at.isoformat(), "by": _by(staff, staff_id), "what": what}
            for staff_id, at, what in access.of_household(tx, row.household_id)
        ],
    }  # fmt: skip


def _life(tx: Transaction, row: CaseRow) -> dict[str, Any]:
    """Personal plans, work, appointments, what they take part in, points, referrals: word for word."""
    names = {m.id: f"{m.given_name} {m.surname}" for m in dossiers.members(tx, row.household_id)}
    versions = pips.versions(tx, row.id)
    actions = pips.actions(tx, row.id)
    signed = pips.signatures(tx, [one.id for one in versions])
    return {
        "personal_plans": [
            {
                "person": names.get(one.person_id, ""),
                "version": one.number,
                "document": one.document.model_dump(mode="json"),
                "proposed_on": _day(one.proposed_on),
                "signed_on": _day(one.signed_on),
                "replaced_on": _day(one.replaced_on),
                "review_on": _day(one.review_on),
                "signatures": [
                    {"side": by.side, "on": by.signed_on.isoformat(), "how": by.how}
                    for by in signed
                    if by.version_id == one.id
                ],
            }
            for one in versions
        ],
        "actions": [
            {
                "person": names.get(one.person_id, ""),
                "what": one.what,
                "kind": one.kind,
                "by": one.doer,
                "due_on": _day(one.due_on),
                "outcome": one.outcome,
                "note": one.outcome_note,
            }
            for one in actions
        ],
        "placements": [
            _plain({k: v for k, v in one._asdict().items() if k not in ("id", "case_id", "person_id", "checks")})
            | {"checks": [{"on": on.isoformat(), "outcome": outcome} for on, _days, outcome in one.checks]}
            for one in placements.of_case(tx, row.id)
        ],
        "appointments": [
            {"at": one.starts_at.isoformat(), "what": one.what, "where": one.where, "status": one.status}
            for one in appointments.of_case(tx, row.id)
        ],
        "took_part_in": [
            {"on": one.on.isoformat(), "what": one.title or one.what, "hours": one.hours}
            for one in community.parts_of(tx, row.id)
            if one.withdrawn_on is None
        ],
        "emporio": [_plain(one._asdict()) for one in emporio.book(tx, row.household_id, _ALL)],
        "referrals": [
            _plain({k: v for k, v in one._asdict().items() if k in _OF_A_REFERRAL})
            for one in local_services.referrals_of(tx, row.id)
        ],
    }


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _persons(tx: Transaction, row: CaseRow, pathway: Pathway) -> list[dict[str, Any]]:
    codes, journeys = people.tax_codes(tx, row.household_id), journeys_of(tx, row.id)
    known = contacts.of_household(tx, row.household_id)
    found = []
    for member in dossiers.members(tx, row.household_id):
        state = journeys.get(member.id)
        plain = _plain(member._asdict()) | {"tax_code": codes.get(member.id)}
        plain["reached"] = [
            _plain({name: value for name, value in one._asdict().items() if name not in ("person_id", "value")})
            for one in known.get(member.id, {}).values()
        ]
        plain["pip"] = pathway.person.label(state).in_(language()) if state else None
        found.append({name: value for name, value in plain.items() if name != "id"})
    return found


def _history(tx: Transaction, row: CaseRow, pathway: Pathway, staff: dict[int, network.Member]) -> list[dict[str, Any]]:
    recorded: dict[int, list[Recorded]] = {}
    for one in dossiers.recorded(tx, row.id):
        recorded.setdefault(one.history_id, []).append(one)
    entries = history.of_case(tx, row.id)
    actors = {entry.seq: entry.actor_id for entry in entries}
    names = {m.id: f"{m.given_name} {m.surname}" for m in dossiers.members(tx, row.household_id)}
    personal, attempts = dossiers.personal_parts(tx, row.id), dossiers.attempts(tx, row.id)
    told = Told(pathway, staff, personal, recorded, attempts, names)
    return [
        {
            "at": one.at.isoformat(),
            "by": _by(staff, actors[one.seq]),
            "what": one.what,
            "why": one.why,
            "details": dict(one.details),
            "texts": dict(one.personal),
        }
        for one in reversed(happenings(entries, told))
    ]


def _special(tx: Transaction, who: Occasion, row: CaseRow) -> list[dict[str, str]] | None:
    if not allowed(who.actor, "notes.special"):
        return None
    names = {m.id: f"{m.given_name} {m.surname}" for m in dossiers.members(tx, row.household_id)}
    return [
        {"on": on.isoformat(), "text": text, "person": names.get(person_id or 0, "")}
        for on, text, person_id in dossiers.special_notes(tx, row.id)
    ]


def _flags(tx: Transaction, who: Occasion, row: CaseRow) -> list[dict[str, Any]] | None:
    """Flags of vulnerability, as confidential as the notes."""
    if not allowed(who.actor, "notes.special"):
        return None
    names = {m.id: f"{m.given_name} {m.surname}" for m in dossiers.members(tx, row.household_id)}
    return [
        {
            "kind": kind_words(one.kind),
            "person": names.get(one.person_id or 0),
            "detail": one.detail,
            "set_on": one.set_on.isoformat(),
            "until_on": one.until_on.isoformat() if one.until_on else None,
            "lifted_on": one.lifted_on.isoformat() if one.lifted_on else None,
            "lifted_because": one.lift_reason,
        }
        for one in vulnerability.of_household(tx, row.household_id)
    ]


def _messages(tx: Transaction, row: CaseRow) -> list[dict[str, Any]]:
    fates = tracking.of_case(tx, row.id)
    return [
        {
            "message": message_name(one.message),
            "due_on": one.due_on.isoformat(),
            "status": status_name(one.status),
            "sent_at": one.sent_at.isoformat() if one.sent_at else None,
            "address": one.address,
            "subject": one.subject,
            "text": one.body,
            "by": kind_name(one.way) if one.way else None,
            "became": [{"what": fate_name(fate.kind), "at": fate.at.isoformat()} for fate in fates.get(one.id, ())],
        }
        for one in dossiers.messages(tx, row.id, limit=10_000)
        if one.recipient.startswith("person:")
    ]


def _plan(tx: Transaction, row: CaseRow) -> dict[str, Any] | None:
    plan = dossiers.instalments(tx, row.id)
    if plan is None:
        return None
    signed_on, version, instalments = plan
    return {
        "version": version,
        "signed_on": signed_on.isoformat(),
        "instalments": [_plain(one._asdict()) for one in instalments],
    }


def _by(staff: dict[int, network.Member], staff_id: int | None) -> str:
    """Role and organisation: the household learns who in which office, not a worker's name."""
    member = staff.get(staff_id or 0)
    if member is None:
        return "Ponte"
    return f"{', '.join(role_name(role) for role in sorted(member.roles))} ({member.partner_code})"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
