"""Messages in words: what each is about, where it stands, and why it did not leave."""

import re

from ponte_workflow.i18n import gettext as _

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
        "nobody active stands behind this recipient": _("nobody active stands behind this recipient"),
        "this member of staff has no mail address": _("this member of staff has no mail address"),
        "left by a process that ended while sending": _("left by a process that ended while sending: it may have left"),
        "minors are never written to": _("minors are never written to"),
        "never contact this household at home": _("never contact this household at home"),
        "somebody has to speak with this person instead: see the flags of the case": _(
            "somebody has to speak with this person instead: see the flags of the case"
        ),
        "this person must not be called": _("this person must not be called"),
        "a demand before any human contact attempt": _("a demand before any human contact attempt"),
    }
    if why is None:
        return ""
    if failed := _FAILED.fullmatch(why):
        return _("the message cannot be made ({error}): tell the administrator").format(error=failed[1])
    return known.get(why, why)
