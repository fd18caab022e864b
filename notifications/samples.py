"""Messages filled with values that are plainly invented, made from their models: what a preview shows of a message."""

import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from notifications.message import HouseholdMessage, Message

DAY = date(2026, 11, 23)
MOMENT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
# By what a field is called; any other text shows its own name in brackets. No name of anybody, no real address.
_TEXTS = {
    "greeting": "Nome Cognome",
    "worker": "Nome Cognome",
    "household": "Cognome Nome",
    "partner": "Organizzazione",
    "office": "Via di Esempio 1",
    "where": "Via di Esempio 1",
    "place": "Caseggiato di Esempio, scala A",
    "phone": "000 0000000",
    "case_code": "P-000000",
    "creditor": "Creditore",
    "title": "Evento di esempio",
    "organiser": "Organizzazione",
    "organisation": "Organizzazione",
    "opened_by": "Nome Cognome",
    "service": "Servizio di Esempio",
    "state": "stato di esempio",
    "why": "perché di esempio",
    "reason": "motivo di esempio",
    "waits_on": "ruolo di esempio",
    "what_to_do": "passo di esempio",
    "link": "ponte case show P-000000",
    "step": "clocks",
    "error": "BadConfiguration",
}
_NUMBERS = {"cents": 8050, "instalments": 8050, "days": 11}
_ROWS = 2  # in every list


def sample(kind: type[Message]) -> Message:
    """A whole message of this kind, every field filled."""
    values = _values(kind)
    if issubclass(kind, HouseholdMessage):
        return kind.model_validate(values)
    return kind.model_validate(values | {"greeting": "Nome"})


def _values(model: type[BaseModel], row: int = 0) -> dict[str, Any]:
    return {name: _value(field.annotation, name, row) for name, field in model.model_fields.items()}


def _value(annotation: Any, name: str, row: int) -> Any:
    """A value for an annotation; `row`: its place in a list, so that rows differ."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0], name, row)
    if origin in (Union, types.UnionType):
        return _value(next(one for one in arguments if one is not types.NoneType), name, row)
    if origin is Literal:
        return arguments[row % len(arguments)]
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(_value(arguments[0], name, place) for place in range(_ROWS))
        return tuple(_value(one, name, row) for one in arguments)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _values(annotation, row)
    return _PLAIN[annotation](name, row)


def _text(name: str, row: int) -> str:
    return _TEXTS.get(name, f"[{name.replace('_', ' ')}]")


def _number(name: str, row: int) -> int:
    return next((value for part, value in _NUMBERS.items() if part in name), 3) + row


def _truth(name: str, row: int) -> bool:
    return row == 0


_PLAIN: dict[Any, Callable[[str, int], Any]] = {
    str: _text,
    int: _number,
    bool: _truth,
    date: lambda name, row: DAY + timedelta(days=30 * row),
    datetime: lambda name, row: MOMENT + timedelta(days=row),
}
