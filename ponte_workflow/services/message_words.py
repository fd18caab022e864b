"""Messages in words: what each is about, where it stands, and why it did not leave."""

import re

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.contacts import kind_name
from ponte_workflow.services.withheld import NO_WAY

_FAILED = re.compile(r"cannot be (?:made|rendered): (\w+)")


def message_name(message: str) -> str:
    """A message by what it is about; its own name where Ponte knows no better."""
    names = {
        "appointment_reminder": _("reminder of an appointment"),
        "cases_set_aside": _("cases set aside"),
        "digest": _("morning mail"),
        "event_invitation": _("invitation to an event"),
        "first_meeting_invitation": _("invitation to the first meeting"),
        "glass_opened": _("a case opened with a reason"),
        "household_member_deceased": _("a death in the household"),
        "instalment_due": _("an instalment falls due"),
        "meeting_reminder": _("reminder after the meeting"),
        "night_failed": _("the night failed"),
        "pip_ready_to_sign": _("PIP ready to sign"),
        "plan_breached": _("payment plan breached"),
        "plan_kept_thanks": _("thanks for the plan kept"),
        "plan_signed": _("payment plan signed"),
        "referral_refused": _("referral refused"),
        "stale_ledger": _("stale ledger"),
    }
    return names.get(message, message)


def status_name(status: str) -> str:
    """Where a message stands in the outbox."""
    names = {
        "queued": _("waits to leave"),
        "gathered": _("in a morning mail"),
        "claimed": _("leaving"),
        "sent": _("sent"),
        "failed": _("failed"),
        "held": _("held for a decision"),
        "withdrawn": _("withdrawn"),
        "expired": _("expired"),
    }
    return names.get(status, status)


def fate_name(fate: str) -> str:
    """What became of a message after it had left."""
    names = {
        "accepted": _("accepted by the carrier"),
        "delivered": _("delivered"),
        "bounced": _("came back"),
        "refused": _("refused"),
        "expired": _("could not be delivered in time"),
        "printed": _("printed"),
        "posted": _("posted"),
        "returned": _("came back by post"),
        "unknown": _("nothing was heard of it"),
    }
    return names.get(fate, fate)


def why_words(why: str | None) -> str:
    """Why a message did not leave. The outbox keeps it in English; what a mail server said stays as it was said."""
    known = {
        "no mail address is known: tell the person in another way": _(
            "no mail address is known: tell the person in another way"
        ),
        "the case is paused": _("the case is paused"),
        "the case is closed": _("the case is closed"),
        "the person is no longer here": _("the person is no longer here"),
        "a death in the household: every message has stopped": _("a death in the household: every message has stopped"),
        "what it speaks of is no longer there": _("what it speaks of is no longer there"),
        "what it asks for has happened": _("what it asks for has happened"),
        "nobody active stands behind this recipient": _("nobody active stands behind this recipient"),
        "this member of staff has no mail address": _(
            "this member of staff has no mail address"
        ),  # of earlier versions
        "its channel does not work just now": _("its channel does not work just now"),
        "the SMS gateway's answer cannot be read": _("the SMS gateway's answer cannot be read: it may have left"),
        "minors are never written to": _("minors are never written to"),
        "left by a process that ended while sending": _("left by a process that ended while sending: it may have left"),
        "restored from a backup: it may have left after that was made": _(
            "restored from a backup: it may have left after that was made"
        ),
        "never contact this household at home": _("never contact this household at home"),
        "somebody has to speak with this person instead: see the flags of the case": _(
            "somebody has to speak with this person instead: see the flags of the case"
        ),
        "this person must not be called": _("this person must not be called"),
        "a demand before any human contact attempt": _("a demand before any human contact attempt"),
    }
    known |= {
        "the letter does not fit on one page: shorten what it says, or hand it over in person and record that": _(
            "the letter does not fit on one page: shorten what it says, or hand it over in person and record that"
        ),
        "the postal address is not complete: a name, a street and a town, each on a line": _(
            "the postal address is not complete: a name, a street and a town, each on a line"
        ),
        "the postal address is too long for the window of an envelope: shorten it to five lines": _(
            "the postal address is too long for the window of an envelope: shorten it to five lines"
        ),
    }
    if why is None:
        return ""
    if why.startswith(NO_WAY):
        parts = (part.partition(": ") for part in why.removeprefix(NO_WAY).split("; "))
        told = (f"{kind_name(channel)}: {way_words(reason)}" for channel, _colon, reason in parts)
        return _("no way leads to this person ({reasons}): tell them in another way").format(reasons="; ".join(told))
    channel, _colon, reason = why.partition(": ")
    if channel in ("email", "sms", "pec", "letter") and reason:
        return f"{kind_name(channel)}: {reason}"
    if failed := _FAILED.fullmatch(why):
        return _("the message cannot be made ({error}): tell the administrator").format(error=failed[1])
    return known.get(why, why)


def way_words(why: str) -> str:
    """Why a way to a person is left out (notifications/choice.py, services/safety.py)."""
    known = {
        "the person does not want it": _("the person does not want it"),
        "not set up here": _("not set up here"),
        "not for messages with legal weight": _("not for messages with legal weight"),
        "this message does not fit": _("this message does not fit"),
        "no address is known": _("no address is known"),
        "the address is wrong": _("the address is wrong"),
        "this message came back from there": _("this message came back from there"),
        "a landline gets no SMS": _("a landline gets no SMS"),
        "the number cannot be one": _("the number cannot be one"),
    }
    return known.get(why) or why_words(why)
