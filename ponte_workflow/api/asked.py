"""What the API is sent."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from ponte_workflow.api.trigger_schemas import LARGEST
from states.fields import LONGEST_TEXT

# No NUL: PostgreSQL takes none, and no word has one.
Text = Annotated[str, StringConstraints(strict=True, max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
Whole = Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class TriggerCall(BaseModel):
    """A trigger fired, with what it asks for: GET /cases/{code}/triggers has the JSON schema of `fields`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"fields": {"channel": "phone", "outcome": "no_answer"}, "person_id": None, "version": 7}]
        },
    )

    fields: dict[Name, StrictBool | Whole | Text] = Field(default_factory=dict, max_length=60)
    person_id: Annotated[StrictInt, Field(ge=1, le=LARGEST)] | None = Field(
        default=None, description="Whose own journey it moves; left out: the household's"
    )
    version: Annotated[StrictInt, Field(ge=0, le=LARGEST)] | None = Field(
        default=None, description="Refuse with 409 if the case has another version by now; If-Match does so with 412"
    )


class OutcomeCall(BaseModel):
    """What came of an action."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "done", "note": "CV written"}]}
    )

    outcome: Literal["done", "partly", "not_done", "dropped"]
    note: Text = ""


class ContactCall(BaseModel):
    """What is new about one contact of one person; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"person_id": 41, "kind": "phone", "value": "340 1234567", "consent": "yes"}]},
    )

    person_id: Annotated[StrictInt, Field(ge=1, le=LARGEST)]
    kind: Literal["phone", "email", "pec", "letter"]
    value: Annotated[str, StringConstraints(strict=True, max_length=200, pattern=r"^[^\x00]*$")] | None = Field(
        default=None, description="The number or address; empty: it is no longer known"
    )
    preferred: StrictBool | None = Field(default=None, description="Whether the person prefers this way")
    consent: Literal["yes", "no"] | None = Field(default=None, description="Whether they want messages there")
    works: StrictBool | None = Field(default=None, description="Whether messages arrive there")
