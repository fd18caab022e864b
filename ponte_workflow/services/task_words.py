"""Tasks that no trigger of a pathway declares, in words. A kind may carry its subject after a slash: contact_wrong/12."""

from states.document import Text
from states.pathway import Pathway

# {n}: what stands after the slash.
TASKS: dict[str, Text] = {
    "contact_wrong": Text(
        it="Un recapito non funziona: chiedere alla persona quello giusto",
        en="A contact does not work: ask the person for the right one",
    ),
    "placement_check": Text(
        it="Riscontro su un inserimento: sentire la persona e il datore di lavoro",
        en="Check of a placement: ask the person and the employer",
    ),
    "pip_review": Text(it="Verifica del PIP (versione {n})", en="Review of the PIP (version {n})"),
    "pip_action": Text(it="Azione {n} del PIP", en="PIP action {n}"),
}


def task_label(pathway: Pathway, kind: str) -> Text | None:
    """What a task asks for: by the pathway, else by this table; None when nobody knows the kind."""
    declared = pathway.task_label(kind)
    if declared is not None:
        return declared
    beginning, _slash, subject = kind.partition("/")
    words = TASKS.get(beginning)
    return words and Text(it=words.it.format(n=subject), en=words.en.format(n=subject))
