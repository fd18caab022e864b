"""States and roles in the words of the context's language."""

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from states.pathway import Pathway
from states.roles import ROLE_NAMES


def state_labels(pathway: Pathway, configuration: tuple[str, ...]) -> tuple[str, ...]:
    """The leaf states in words; inside a parallel state each with its track."""
    return labels_in(pathway, configuration, language())


def labels_in(pathway: Pathway, configuration: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The same in a language by its code. A broken case, in a state that its pathway has not, is shown by its path:
    it must not take the list in which it stands with it."""
    words = []
    for leaf in configuration:
        if leaf not in pathway.household.states:
            words.append(leaf)
            continue
        label = pathway.household.label(leaf).in_(name)
        if leaf.count(".") == 2:
            label = f"{pathway.household.label(leaf.rpartition('.')[0]).in_(name)}: {label.lower()}"
        words.append(label)
    return tuple(words)


def flag_name(flag: str) -> str:
    """What a list says beside a case's state."""
    return {
        "stalled": _("Stalled"),
        "paused": _("Paused"),
        "set aside": _("Set aside"),
        "snoozed": _("Snoozed"),
    }.get(flag, flag)


def role_name(role: str) -> str:
    """A role in the language of the context."""
    return ROLE_NAMES[role].in_(language()) if role in ROLE_NAMES else role
