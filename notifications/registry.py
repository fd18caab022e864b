"""Every message there is, by name, and the check that data fit it."""

from collections.abc import Mapping
from typing import Any

from notifications.errors import UnknownMessage
from notifications.message import Message, complete, queueable
from notifications.messages.appointment_reminder.model import AppointmentReminder
from notifications.messages.cases_set_aside.model import CasesSetAside
from notifications.messages.digest.model import Digest
from notifications.messages.event_invitation.model import EventInvitation
from notifications.messages.first_meeting_invitation.model import FirstMeetingInvitation
from notifications.messages.glass_opened.model import GlassOpened
from notifications.messages.household_member_deceased.model import HouseholdMemberDeceased
from notifications.messages.instalment_due.model import InstalmentDue
from notifications.messages.meeting_reminder.model import MeetingReminder
from notifications.messages.night_failed.model import NightFailed
from notifications.messages.pip_ready_to_sign.model import PipReadyToSign
from notifications.messages.plan_breached.model import PlanBreached
from notifications.messages.plan_kept_thanks.model import PlanKeptThanks
from notifications.messages.plan_signed.model import PlanSigned
from notifications.messages.referral_refused.model import ReferralRefused
from notifications.messages.stale_ledger.model import StaleLedger

MESSAGES: dict[str, type[Message]] = {
    kind.name: kind
    for kind in (
        AppointmentReminder,
        CasesSetAside,
        Digest,
        EventInvitation,
        FirstMeetingInvitation,
        GlassOpened,
        HouseholdMemberDeceased,
        InstalmentDue,
        MeetingReminder,
        NightFailed,
        PipReadyToSign,
        PlanBreached,
        PlanKeptThanks,
        PlanSigned,
        ReferralRefused,
        StaleLedger,
    )
}


def message_kind(name: str) -> type[Message]:
    """The model of a message; `UnknownMessage` when there is none of that name."""
    try:
        return MESSAGES[name]
    except KeyError:
        raise UnknownMessage(f"no message is called {name!r}; there are: {', '.join(sorted(MESSAGES))}") from None


def check(name: str, data: Mapping[str, Any]) -> Message:
    """The whole message made of `data`, every placeholder there and of its form; `BadData` otherwise."""
    return complete(message_kind(name), data)


def check_queued(name: str, data: Mapping[str, Any]) -> None:
    """Refuse, with `BadData`, what must not wait in the outbox: a placeholder missing, or one that has to be looked up.

    Names, addresses and texts (`Message.looked_up`) are read just before sending and may not be in `data`;
    keys that end in `_id` say where to read them.
    """
    queueable(message_kind(name), data)
