"""A trigger's fields as JSON schema, made from what the pathway declares: a new trigger in YAML has its schema without code."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ponte_workflow.errors import InvalidField
from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Standing
from states.decision import Failure
from states.document import FieldSpec, Text, TriggerSpec
from states.fields import LONGEST_TEXT, YEARS
from states.pathway import Chart
from states.snapshot import Value

LARGEST = 2**53 - 1  # what every JSON reader keeps exactly
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CENTS = "_cents"


def property_name(name: str, field: FieldSpec) -> str:
    """A field's name in the API: amounts are integer cents and say so."""
    return name + _CENTS if field.type == "money" and not name.endswith(_CENTS) else name


def fields_schema(
    fields: Mapping[str, FieldSpec], adults: Iterable[int] | None = None, members: Iterable[int] | None = None
) -> dict[str, Any]:
    """JSON schema (2020-12) of the fields of a trigger. adults, members: of the household, for fields that name one."""
    return {
        "type": "object",
        "properties": {property_name(name, field): _property(field, adults, members) for name, field in fields.items()},
        "required": [property_name(name, field) for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }


def trigger_schema(name: str, specs: Iterable[TriggerSpec]) -> dict[str, Any]:
    """One trigger as its pathway declares it; where it asks for different things in different states, one of them."""
    specs = list(specs)
    variants: list[dict[str, Any]] = []
    for spec in specs:
        made = fields_schema(spec.fields)
        if made not in variants:
            variants.append(made)
    labels = specs[0].label
    return {
        "title": name,
        "description": labels.in_(language()),
        "x-label": labels.model_dump(),
        "x-by": list(specs[0].by),
        **(variants[0] if len(variants) == 1 else {"anyOf": variants}),
    }


def chart_schemas(chart: Chart) -> dict[str, dict[str, Any]]:
    """Every trigger of a chart that people or programs may fire."""
    return {
        name: trigger_schema(name, sources.values())
        for name, sources in chart.triggers.items()
        if any(set(spec.by) - {"system"} for spec in sources.values())
    }


def declared_fields(standing: Standing, trigger: str, person_id: int) -> dict[str, FieldSpec]:
    """What the trigger asks for where the case, or the person, stands; nothing when it is not possible there."""
    chart = standing.pathway.person if person_id else standing.pathway.household
    here = (standing.snapshot.journeys.get(person_id, ""),) if person_id else standing.row.configuration
    if trigger not in chart.triggers or any(leaf not in chart.states for leaf in here):
        return {}
    spec = chart.trigger(here, trigger)
    return dict(spec.fields) if spec else {}


def field_values(
    code: str, trigger: str, given: Mapping[str, Value], fields: Mapping[str, FieldSpec]
) -> dict[str, Value]:
    """What was sent under the names of the pathway. Dates must be ISO and amounts cents: texts of either are refused."""
    names = {property_name(name, field): name for name, field in fields.items()}
    values: dict[str, Value] = {}
    failures: list[Failure] = []
    for sent, value in given.items():
        name = names.get(sent, sent)
        field = fields.get(name)
        if field is not None and sent != property_name(name, field):
            expected = property_name(name, field)
            failures.append(_failure(sent, f"l'importo va in centesimi, in {expected}", f"send cents, as {expected}"))
        elif field is not None and field.type in ("money", "int") and not _is_whole(value):
            failures.append(_failure(sent, "serve un numero intero", "a whole number is needed"))
        elif field is not None and field.type == "date" and not _is_day(value):
            failures.append(_failure(sent, "serve una data aaaa-mm-gg", "a date yyyy-mm-dd is needed"))
        else:
            values[name] = value
    if failures:
        told = "; ".join(one.sentence.in_(language()) for one in failures)
        raise InvalidField(f"{code}, {trigger}: {told}", tuple(failures))
    return values


def _property(field: FieldSpec, adults: Iterable[int] | None, members: Iterable[int] | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": field.label.in_(language()),
        "x-label": field.label.model_dump(),
        "x-type": field.type,
        "x-privacy": field.privacy,
    }
    match field.type:
        case "text":
            made |= {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
        case "vat_number":
            made |= {"type": "string", "pattern": "^[0-9]{11}$"}
        case "choice":
            made |= {"type": "string", "enum": list(field.choices)}
            made["x-choices"] = {name: label.model_dump() for name, label in field.choices.items()}
        case "date":
            made |= {"type": "string", "format": "date", "description": f"From {YEARS[0]} to {YEARS[-1]}"}
        case "bool":
            made["type"] = "boolean"
        case "staff":
            made |= {"type": "string", "description": "A username"}
        case "member":
            made |= {"type": "integer", "description": "The id of a person of the household"}
            if members is not None:
                made["enum"] = sorted(members)
        case "person":
            made |= {"type": "integer", "description": "The id of an adult of the household"}
            if adults is not None:
                made["enum"] = sorted(adults)
        case "int" | "money":
            low, high = field.minimum, field.maximum
            made |= {"type": "integer", "maximum": LARGEST if high is None else high}
            made["minimum"] = -LARGEST if low is None else low
    return made


def _failure(name: str, it: str, en: str) -> Failure:
    return Failure(name, Text(it=f"{name}: {it}", en=f"{name}: {en}"), ())


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_day(value: Value) -> bool:
    if not isinstance(value, str) or _ISO.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
