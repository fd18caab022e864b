"""The names of the messages that a pathway may send; their texts live in the package `notifications`."""

TO_STAFF = frozenset({"plan_breached", "household_member_deceased", "referral_refused"})
TO_HOUSEHOLD = frozenset(
    {
        "first_meeting_invitation",
        "meeting_reminder",
        "appointment_reminder",
        "pip_ready_to_sign",
        "plan_signed",
        "instalment_due",
        "plan_kept_thanks",
        "event_invitation",
    }
)
MESSAGES = TO_STAFF | TO_HOUSEHOLD
# Messages that ask for money: never before a human contact attempt, and they stop when a plan is breached.
DEMANDS = frozenset({"instalment_due"})
# Messages with legal weight: never repeated by a machine, a crash in between is for a human to decide.
LEGAL = frozenset({"plan_signed"})
