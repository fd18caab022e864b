"""Which role may do which kind of work: one table for console, web and API. Single cases: see rights.may_see."""

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.rights import Actor
from states.document import Text
from states.roles import ROLE_NAMES

CASEWORKERS = frozenset({"case_worker", "supervisor", "job_agency", "volunteers", "landlord", "lead"})
COORDINATION = frozenset({"supervisor", "lead"})

# An administrator looks after accounts, imports and settings, and sees no household.
PERMISSIONS: dict[str, frozenset[str]] = {
    "casework": CASEWORKERS,  # the worktray, and the cases that one may see
    "casework.many": frozenset({"case_worker", "supervisor", "lead"}),  # the same step for several cases
    "plans.propose": frozenset({"case_worker", "supervisor", "lead"}),  # from what a household lives on
    "pips.write": frozenset({"case_worker", "supervisor", "job_agency"}),
    "pips.actions": frozenset({"case_worker", "supervisor", "job_agency", "volunteers"}),  # what came of them
    "events.hold": frozenset({"volunteers", "case_worker", "supervisor"}),  # events, attendance, the emporio
    "services.manage": frozenset({"case_worker", "supervisor", "lead"}),  # the directory of services around us
    "contacts.mend": frozenset({"case_worker", "supervisor", "lead"}),  # addresses, wishes and consents of households
    "notes.special": frozenset({"case_worker", "supervisor", "lead"}),  # health, minors, violence
    "safety.set": frozenset({"case_worker", "supervisor", "lead"}),  # flags of vulnerability, a person's language
    "export": COORDINATION,  # lists as files
    "household.export": COORDINATION,  # everything about one household, for the household
    "supervision": COORDINATION,
    "night.read": frozenset({"supervisor", "lead", "admin"}),  # counts only
    "night.hold": COORDINATION,  # hold back single actions of tonight
    "outbox.decide": COORDINATION,  # messages that wait for a human
    "letters": COORDINATION,  # print them, hand them to the post, say what came back
    "certified_mail": frozenset({"lead"}),  # the mailbox is the programme's: what is unmatched may be anybody's
    "administration": frozenset({"supervisor", "landlord", "lead", "admin"}),  # its front page: leads to what one may
    "people.read": frozenset({"supervisor", "lead", "admin"}),
    "people.manage": frozenset({"lead", "admin"}),
    "import": frozenset({"landlord", "lead", "admin"}),
    "pathways.read": frozenset({"supervisor", "lead", "admin"}),
    "messages.read": frozenset({"supervisor", "lead", "admin"}),
    "settings.read": frozenset({"lead", "admin"}),
    "audit": frozenset({"lead", "admin"}),
    "integrations": frozenset({"admin"}),  # API tokens and webhooks
}
ADMIN_NAME = Text(it="amministrazione del sistema", en="administrator")


def allowed(actor: Actor, permission: str) -> bool:
    """Whether the actor has the permission; the system has all."""
    return actor.is_system or bool(actor.roles & PERMISSIONS[permission])


def require(actor: Actor, permission: str) -> None:
    """Refuse, with the roles that may, an actor without the permission."""
    if not allowed(actor, permission):
        roles = ", ".join(sorted(role_name(role) for role in PERMISSIONS[permission]))
        raise NotAllowed(_("This is for: {roles}").format(roles=roles))


def role_name(role: str) -> str:
    """A role in the language of the context."""
    if role == "admin":
        return ADMIN_NAME.in_(language())
    return ROLE_NAMES[role].in_(language()) if role in ROLE_NAMES else role
