"""Tasks that no trigger of a pathway declares, in words. A kind may carry its subject after a slash: contact_wrong/12."""

from states.document import Text
from states.pathway import Pathway

TASKS: dict[str, Text] = {
    "contact_wrong": Text(
        it="Un recapito non funziona: chiedere alla persona quello giusto",
        en="A contact does not work: ask the person for the right one",
    ),
}


def task_label(pathway: Pathway, kind: str) -> Text | None:
    """What a task asks for: by the pathway, else by this table; None when nobody knows the kind."""
    return pathway.task_label(kind) or TASKS.get(kind.partition("/")[0])
