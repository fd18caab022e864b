"""What every message is: a frozen model whose fields are the placeholders of its templates."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from notifications.errors import BadData

Audience = Literal["staff", "household"]


class ReadWhenRendered:
    """Marks a field that is read when the message is rendered, because it is personal or may still change."""


Text = Annotated[str, Field(min_length=1)]
LookedUp = Annotated[str, Field(min_length=1), ReadWhenRendered()]
Link = Annotated[str | None, ReadWhenRendered()]
Cents = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A row inside a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Part):
    """Base of all messages; a subclass gives `name` (its folder), `audience` and a `sample()`."""

    name: ClassVar[str]
    audience: ClassVar[Audience]
    legal: ClassVar[bool] = False  # never repeated by a machine
    demand: ClassVar[bool] = False  # asks for money: only after a human contact attempt
    fits: ClassVar[frozenset[str]] = frozenset({"email", "sms", "pec", "letter"})  # the ways by which it makes sense

    @classmethod
    def sample(cls) -> Self:
        """An invented message with every field filled, for tests and previews."""
        raise NotImplementedError

    @classmethod
    def placeholders(cls) -> frozenset[str]:
        """The names that its templates may use."""
        return frozenset(cls.model_fields) | frozenset(cls.model_computed_fields)

    @classmethod
    def looked_up(cls) -> frozenset[str]:
        """The fields that do not wait in the outbox: names, addresses and texts are read just before sending."""
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if any(isinstance(mark, ReadWhenRendered) for mark in field.metadata)
        )


class StaffMessage(Message):
    """To somebody who works with Ponte."""

    audience: ClassVar[Audience] = "staff"

    greeting: LookedUp  # the name by which the reader is greeted


class CaseNotice(StaffMessage):
    """To staff, about one case."""

    case_code: LookedUp
    household: LookedUp  # display name
    place: LookedUp  # building or street
    what_to_do: LookedUp
    link: Link = None  # a command to type or an address to open


class HouseholdMessage(Message):
    """To a person of a household: warm, in the form of respect, never threatening."""

    audience: ClassVar[Audience] = "household"

    greeting: LookedUp  # given name and surname
    worker: LookedUp  # who signs and can be asked for
    partner: LookedUp
    office: LookedUp  # where people find us
    phone: LookedUp


def complete(kind: type[Message], data: Mapping[str, Any]) -> Message:
    """The message made of `data`; `BadData` names what is missing, unknown or of the wrong form."""
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        raise BadData(_sentence(kind, error)) from None


def queueable(kind: type[Message], data: Mapping[str, Any]) -> None:
    """Refuse, with `BadData`, outbox data that lack a placeholder or carry a text that has to be looked up.

    Further keys that end in `_id` are allowed: they say where to look things up.
    """
    fields = {key: value for key, value in data.items() if not key.endswith("_id")}
    try:
        _queued_form(kind).model_validate(fields)
    except ValidationError as error:
        raise BadData(_sentence(kind, error)) from None


@cache
def _queued_form(kind: type[Message]) -> type[BaseModel]:
    away = kind.looked_up()
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in kind.model_fields.items() if name not in away
    }
    return create_model(f"Queued{kind.__name__}", __base__=Part, **fields)


def _sentence(kind: type[Message], error: ValidationError) -> str:
    # pydantic's own text quotes the values: they may be personal.
    faults = (
        f"{'.'.join(str(part) for part in fault['loc']) or kind.name}: {fault['type']}" for fault in error.errors()
    )
    return f"Message {kind.name}: " + "; ".join(faults)
