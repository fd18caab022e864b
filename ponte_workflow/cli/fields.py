"""Fields of a trigger at the console: `name=value` pairs, and prompts made from what the pathway declares."""

import sys

import typer

from ponte_workflow.cli.context import Acting
from ponte_workflow.errors import InvalidField
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework
from states.document import FieldSpec
from states.fields import Unreadable, read_value
from states.snapshot import Value


def read_pairs(pairs: list[str]) -> dict[str, Value]:
    """name=value, each once."""
    fields: dict[str, Value] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in fields:
            raise InvalidField(_("--set wants name=value, each name once; not {pair}").format(pair=pair))
        fields[name] = value
    return fields


def ask_missing(act: Acting, code: str, trigger: str, person: int, given: dict[str, Value]) -> dict[str, Value]:
    """Ask at a terminal for required fields that were not given; elsewhere they are refused by the service."""
    if not sys.stdin.isatty():
        return given
    standing = casework.look(act.tx, act.who, code)
    chart = standing.pathway.person if person else standing.pathway.household
    here = (standing.snapshot.journeys.get(person, ""),) if person else standing.row.configuration
    spec = chart.trigger(here, trigger) if all(leaf in chart.states for leaf in here) else None
    if spec is None:
        return given
    asked = {name: _ask(field) for name, field in spec.fields.items() if field.required and name not in given}
    return {**given, **asked}


def _ask(field: FieldSpec) -> Value:
    label = field.label.in_(language())
    if field.choices:
        for name, text in field.choices.items():
            typer.echo(f"  {name}: {text.in_(language())}", err=True)
    while True:
        answer: str = typer.prompt(label, err=True)
        try:
            return read_value(field, answer)
        except Unreadable as error:
            typer.echo(error.text.in_(language()), err=True)
