"""What waits for a decision: messages that did not leave, and steps that a second person has to take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from notifications.rendering import Rendered, render
from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.delivery import Resolved, Resolver, Withheld
from ponte_workflow.services.four_eyes import last_fired
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace, sight
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.words import state_labels
from ponte_workflow.services.worktray import PAGE, trace_list
from ponte_workflow.store import casefile, cases, history, network, outbox, supervision, worklists
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member
from ponte_workflow.store.supervision import Asked, Undecided
from states.document import TriggerSpec
from states.pathway import Chart, Pathway

PERMISSION = "outbox.decide"
DEEDS = ("step", "recorded", "undo")  # the kinds of history entries that say who took which step
SHORTEST_REASON, LONGEST_REASON = 3, 300


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for a decision. to: a colleague's name; None: somebody of the household."""

    message: Undecided
    to: str | None


@dataclass(frozen=True, slots=True)
class MessagesShown:
    """A page of them; elsewhere: how many wait with other organisations."""

    rows: tuple[Waiting, ...]
    total: int
    elsewhere: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class MessageShown:
    """One message with its words as they would leave now; without them there is a reason why it would not."""

    waiting: Waiting
    words: Rendered | None
    withheld: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A step that would answer what is asked. mine: the reader took the step it answers, so that a colleague must."""

    trigger: str
    label: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A task that waits for a second person or a supervisor."""

    code: str
    household: str
    place: str
    state: str
    label: str
    role: str
    asked_on: date
    asked_by: str
    due_on: date | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ProposalsShown:
    """A page of them."""

    rows: tuple[Proposal, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))


def how_many(tx: Transaction, who: Occasion, staff: Mapping[int, Member]) -> int:
    """How many messages and proposals wait for a decision that the actor may take."""
    require(who.actor, PERMISSION)
    messages, _elsewhere = supervision.how_many_undecided(tx, sight(who.actor), _own_mails(who, staff))
    return messages + supervision.how_many_asked(tx, sight(who.actor), _answered_by_others(tx, who))


def messages(tx: Transaction, who: Occasion, page: int = 1) -> MessagesShown:
    """One page of the messages that were held or have failed, the oldest first; without their words."""
    require(who.actor, PERMISSION)
    members = network.members(tx)
    seen = (sight(who.actor), _own_mails(who, members))
    total, elsewhere = supervision.how_many_undecided(tx, *seen)
    found = supervision.undecided(tx, *seen, limit=PAGE, offset=(page - 1) * PAGE)
    return MessagesShown(tuple(_waiting(one, members) for one in found), total, elsewhere, page)


def message(tx: Transaction, who: Occasion, outbox_id: int, write: Resolver) -> MessageShown:
    """One of them with its words, which the actor may read because they may see its case; the view leaves a trace."""
    require(who.actor, PERMISSION)
    members = network.members(tx)
    found = supervision.undecided_one(tx, outbox_id, who.at, sight(who.actor), _own_mails(who, members))
    if found is None:
        raise not_found(_("Message"), str(outbox_id))
    one, row = found
    if one.case_id is not None:
        leave_trace(tx, who.actor, "message.preview", cases.by_id(tx, one.case_id), who.at)
    words, why = None, None
    try:
        made = write(tx, row, who.at)
        words = render(made.message, made.language) if isinstance(made, Resolved) else None
        why = made.why if isinstance(made, Withheld) else None
    # A message may be here because it cannot be made; that is said, in the words that delivery uses.
    except Exception as error:  # noqa: BLE001
        why = f"cannot be made: {type(error).__name__}"
    return MessageShown(_waiting(one, members), words, why)


def decide(tx: Transaction, who: Occasion, outbox_id: int, *, send: bool, reason: str) -> None:
    """Send a message after all, or never; who decided and why stays with it. `NotFound` when it does not wait."""
    require(who.actor, PERMISSION)
    why = " ".join(reason.split())
    if not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
        raise BadInput(_("Give a reason of {low} to {high} letters").format(low=SHORTEST_REASON, high=LONGEST_REASON))
    members = network.members(tx)
    if supervision.undecided_one(tx, outbox_id, who.at, sight(who.actor), _own_mails(who, members)) is None:
        raise not_found(_("Message"), str(outbox_id))
    member = members[who.actor.staff_id or 0]
    outbox.decide_held(tx, outbox_id, send=send, why=f"{member.username}: {why}")


def proposals(tx: Transaction, who: Occasion, page: int = 1) -> ProposalsShown:
    """One page of the tasks for supervisors, and of those that a second person answers (four eyes), the oldest first."""
    require(who.actor, PERMISSION)
    kinds = _answered_by_others(tx, who)
    total = supervision.how_many_asked(tx, sight(who.actor), kinds)
    found = supervision.asked(tx, sight(who.actor), kinds, limit=PAGE, offset=(page - 1) * PAGE)
    ids = list(dict.fromkeys(one.case_id for one in found))
    listed = {one.case.id: one for one in worklists.in_order(tx, ids)}
    entries = history.of_cases(tx, ids, DEEDS)
    members = network.members(tx)
    trace_list(tx, who, "supervision.proposals")
    rows = []
    for one in found:
        place = listed[one.case_id]
        pathway = who.pathways.pinned(tx, place.case.pathway_version_id)
        label = task_label(pathway, one.kind)
        asker = members.get(one.asked_by or 0)
        rows.append(
            Proposal(
                place.case.code,
                place.household,
                place.place,
                "; ".join(state_labels(pathway, place.case.configuration)),
                label.in_(language()) if label else one.kind,
                one.role,
                one.opened_on,
                asker.name if asker else "Ponte",
                one.due_on,
                _answers(pathway, place.case.configuration, one, entries.get(one.case_id, ()), who),
            )
        )
    return ProposalsShown(tuple(rows), total, page)


def answered_by_others(chart: Chart) -> frozenset[str]:
    """The kinds of tasks that are closed by a step for which four eyes are wanted."""
    return frozenset(kind for _name, spec in _specs(chart) if spec.four_eyes for kind in _closes(spec))


def _answers(
    pathway: Pathway,
    configuration: tuple[str, ...],
    asked: Asked,
    entries: tuple[history.Entry, ...],
    who: Occasion,
) -> tuple[Answer, ...]:
    found = []
    for name, spec in pathway.household.possible(configuration).items():
        if asked.kind in _closes(spec) and who.actor.roles & set(spec.by):
            first = last_fired(entries, spec.four_eyes, 0) if spec.four_eyes else None
            mine = first is not None and first.actor_id == who.actor.staff_id
            found.append(Answer(name, spec.label.in_(language()), mine))
    return tuple(found)


def _answered_by_others(tx: Transaction, who: Occasion) -> frozenset[str]:
    kinds: set[str] = set()
    for version_id in casefile.pinned_ids(tx):
        kinds |= answered_by_others(who.pathways.pinned(tx, version_id).household)
    return frozenset(kinds)


def _specs(chart: Chart) -> list[tuple[str, TriggerSpec]]:
    return [(name, spec) for name, sources in chart.triggers.items() for spec in sources.values()]


def _closes(spec: TriggerSpec) -> set[str]:
    return {consequence.close_task for consequence in spec.then.values() if consequence.close_task}


def _own_mails(who: Occasion, staff: Mapping[int, Member]) -> frozenset[int] | None:
    """Whose mails about no single case are the actor's to decide on: those of their partner's people; None: all."""
    if who.actor.is_system or "lead" in who.actor.roles:
        return None
    return frozenset(m.id for m in staff.values() if m.partner_id == who.actor.partner_id)


def _waiting(one: Undecided, members: Mapping[int, Member]) -> Waiting:
    kind, _colon, number = one.recipient.partition(":")
    if kind != "staff":
        return Waiting(one, None if kind == "person" else _("nobody yet"))
    member = members.get(int(number))
    return Waiting(one, member.name if member else "—")
