"""What tasks are called: those of the pathway by its own words, those of rules by the words here."""

from ponte_workflow.i18n import language
from states.document import Text
from states.pathway import Pathway

# By the kind's beginning; what comes after a slash says which one is meant.
TASKS = {
    "pip_action": Text(it="Azione del PIP", en="PIP action"),
}


def task_label(pathway: Pathway, kind: str) -> str:
    """A task in the language of the context."""
    beginning, _slash, number = kind.partition("/")
    label = pathway.task_label(kind) or TASKS.get(beginning)
    if label is None:
        return kind
    return f"{label.in_(language())} {number}".rstrip()
