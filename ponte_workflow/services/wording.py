"""From an outbox row to a message with names and an address, at the moment of sending; or why it must not leave."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from notifications.payment_slip import PaymentSlip, qr_text
from notifications.registry import MESSAGES
from ponte_workflow.services import digest_words, safety
from ponte_workflow.services.choosing import Ways, way_or_why
from ponte_workflow.services.delivery import Resolution, Resolved, Withheld
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import (
    appointments,
    cases,
    community,
    glass,
    ledger,
    letters,
    local_services,
    network,
)
from ponte_workflow.store import notices as payment_notices
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member
from ponte_workflow.store.outbox import ClaimedRow

ROME = ZoneInfo("Europe/Rome")
MAIL_ONLY = Ways()


@dataclass(frozen=True, slots=True)
class Writer:
    """A `Resolver`: reads names and addresses when a message is about to leave."""

    pathways: Pathways
    office: str
    phone: str
    ledger_max_age_days: int
    ways: Ways = MAIL_ONLY

    def __call__(self, tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
        """The message with its address, or why it is withheld."""
        on = at.astimezone(ROME).date()
        return self._to_household(tx, row, on) if row.to_household else self._to_staff(tx, row, on)

    def _to_household(self, tx: Transaction, row: ClaimedRow, on: date) -> Resolution:
        assert row.case_id is not None
        who = letters.addressee(tx, row.recipient_id)
        case = cases.by_id(tx, row.case_id)
        if who is None or who.left:
            return Withheld("the person is no longer here")
        if who.deceased or any(leaf == "closed.deceased" for leaf in case.configuration):
            return Withheld("a death in the household: every message has stopped")
        if case.closed_on is not None and row.message != "plan_kept_thanks":
            return Withheld("the case is closed")
        if case.paused:
            return Withheld("the case is paused", for_human=True)
        if self._has_happened(tx, row, case):
            return Withheld("what it asks for has happened")
        closed = safety.closed_channels(tx, row.recipient_id, on)
        if why := closed.get(safety.ALL):
            return Withheld(why, for_human=why in safety.FOR_HUMAN)
        kind = MESSAGES[row.message]
        way = way_or_why(tx, kind, row, case, on, self.ways)
        if isinstance(way, Withheld):
            return way
        data = self._household_data(tx, row, case, who.name, on)
        if data is None:
            return Withheld("what it speaks of is no longer there")
        taken, others = way
        assert taken.address is not None  # else it would have been left out
        return Resolved(
            kind.model_validate(data),
            who.language,
            f"{who.name}\n{taken.address}" if taken.channel == "letter" else taken.address,
            letters.had_attempt(tx, row.case_id),
            channel=taken.channel,
            others=others,
            slips=_slips(tx, row) if row.rule.startswith("instalment/") else (),
        )

    def _has_happened(self, tx: Transaction, row: ClaimedRow, case: cases.CaseRow) -> bool:
        """Whether a message waited (a full week, a holiday) until the state that asked for it was left.

        "Your plan is ready to sign" must not follow the signature.
        """
        state, _slash, clock = row.rule.partition("/")
        pathway = self.pathways.pinned(tx, case.pathway_version_id)
        if row.message == "pip_ready_to_sign":
            state = "proposed"
        elif "/" not in clock or not (state in pathway.household.states or state in pathway.person.states):
            return False  # it goes with what somebody did, which has been done
        if state in pathway.household.states:
            return not any(leaf == state or leaf.startswith(f"{state}.") for leaf in case.configuration)
        return cases.snapshot(tx, case, row.due_on, {}).journeys.get(row.recipient_id) != state

    def _household_data(
        self, tx: Transaction, row: ClaimedRow, case: cases.CaseRow, name: str, on: date
    ) -> dict[str, Any] | None:
        staff = network.members(tx)
        worker = staff.get(case.assigned_to or 0)
        partner = letters.partner_name(tx, case.partner_id) or self.office
        data: dict[str, Any] = {
            "greeting": name,
            "worker": worker.name if worker else partner,
            "partner": partner,
            "office": self.office,
            "phone": self.phone,
        }
        if row.message == "first_meeting_invitation":
            data["at_home"] = "visit" not in safety.closed_channels(tx, row.recipient_id, on)
        personal = letters.personal_of_entry(tx, case.id, row.history_seq)
        if row.message == "plan_signed":
            plan = letters.plan_of(tx, case.id)
            if plan is None:
                return None
            return data | {"signed_on": plan[0], "instalments": tuple((due, cents) for due, cents, _status in plan[1])}
        if row.message == "instalment_due":
            return data | {"due_on": row.data["due_on"], "cents": row.data["cents"]}
        if row.message == "event_invitation" and (event := community.event_of_entry(tx, case.id, row.history_seq)):
            if event.cancelled_on is not None or event.starts_at.astimezone(ROME).date() < on:
                return None
            return data | {
                "title": event.title,
                "starts": event.starts_at.astimezone(ROME),
                "where": event.place,
                "organiser": event.organiser,
            }
        if row.message in ("appointment_reminder", "event_invitation"):
            starts = _starts(tx, case, row)
            if starts is None or starts.date() < on or "where" not in personal:
                return None
            data |= {"starts": starts, "where": personal["where"]}
            if row.message == "event_invitation":
                data |= {"title": personal["what"], "organiser": partner}
        return data

    def _to_staff(self, tx: Transaction, row: ClaimedRow, on: date) -> Resolution:
        staff = network.members(tx)
        member = staff.get(row.recipient_id) if row.recipient.startswith("staff:") else None
        if member is None or not member.active:
            return Withheld("nobody active stands behind this recipient", for_human=True)
        address = network.staff_email(tx, member.id)
        if row.message == "digest":
            data = digest_words.digest(tx, self.pathways, row, member, on, self.ledger_max_age_days)
        elif row.message == "stale_ledger":
            data = self._stale(tx, row, member)
        elif row.message == "glass_opened":
            data = self._glass(tx, row, member)
        else:
            data = self._case_notice(tx, row, member)
        message = MESSAGES[row.message].model_validate(data)
        if address is None:  # the notice lies in their inbox
            return Resolved(message, member.language, f"staff:{member.id}", channel="inbox")
        return Resolved(message, member.language, address)

    def _stale(self, tx: Transaction, row: ClaimedRow, member: Member) -> dict[str, Any]:
        on = date.fromisoformat(row.data["on"])
        ledgers = [
            {"creditor": name, "newest_on": day, "days_old": (on - day).days if day else None}
            for name, day in ledger.ledger_dates(tx).items()
            if day is None or (on - day).days > self.ledger_max_age_days
        ]
        return {"greeting": member.name, "on": on, "max_age_days": self.ledger_max_age_days, "ledgers": tuple(ledgers)}

    def _case_notice(self, tx: Transaction, row: ClaimedRow, member: Member) -> dict[str, Any]:
        assert row.case_id is not None
        shown = cases.listed(tx, cases.where_id(row.case_id))[0]
        data: dict[str, Any] = {
            "greeting": member.name,
            "case_code": shown.case.code,
            "household": shown.household,
            "place": shown.place,
            "what_to_do": digest_words.WHAT_TO_DO[row.message].in_(member.language),
            "link": f"ponte case why {shown.case.code}",
        }
        if row.message == "plan_breached":
            plan = letters.plan_of(tx, row.case_id)
            missed = [(due, cents) for due, cents, status in plan[1] if status == "missed"] if plan else []
            data |= {"since": row.due_on, "missed": tuple(missed)}
        elif row.message == "household_member_deceased":
            data["recorded_on"] = row.due_on
        else:
            personal = letters.personal_of_entry(tx, row.case_id, row.history_seq)
            service = local_services.refused_in(tx, row.case_id, row.history_seq) or "—"
            data |= {"refused_on": row.due_on, "service": service, "reason": personal.get("reason", "—")}
        return data

    def _glass(self, tx: Transaction, row: ClaimedRow, member: Member) -> dict[str, Any]:
        opening = glass.by_id(tx, row.data["glass_id"])
        assert opening is not None  # openings are never deleted
        shown = cases.listed(tx, cases.where_id(opening.case_id))[0]
        opener = network.members(tx)[opening.staff_id]
        return {
            "greeting": member.name,
            "case_code": shown.case.code,
            "household": shown.household,
            "place": shown.place,
            "what_to_do": digest_words.WHAT_TO_DO[row.message].in_(member.language),
            "link": "/supervision/glass",
            "opened_by": opener.name,
            "organisation": letters.partner_name(tx, opener.partner_id) or opener.partner_code,
            "opened_at": opening.at,
            "until": opening.until_at,
            "reason": opening.reason,
        }


def _starts(tx: Transaction, case: cases.CaseRow, row: ClaimedRow) -> datetime | None:
    """When the appointment or the event begins to which that entry of the case's history asks."""
    if (meeting := appointments.of_entry(tx, case.id, row.history_seq)) is not None:
        return meeting.starts_at.astimezone(ROME)
    facts = letters.facts_of_entry(tx, case.id, row.history_seq)
    day, hour = facts.get("day"), facts.get("hour")
    if not isinstance(day, date) or not isinstance(hour, int):
        return None
    return datetime.combine(day, time(hour), tzinfo=ROME)


def _slips(tx: Transaction, row: ClaimedRow) -> tuple[PaymentSlip, ...]:
    """The notices of the instalment that a message speaks of: one for each creditor that takes payments by pagoPA."""
    assert row.case_id is not None
    return tuple(
        PaymentSlip(
            one.notice_number,
            qr_text(one.notice_number, one.body_tax_code, one.cents),
            one.cents,
            one.due_on,
            one.creditor,
            one.body_tax_code,
        )
        for one in payment_notices.of_instalment(tx, row.case_id, int(row.rule.rpartition("/")[2]))
    )
