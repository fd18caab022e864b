"""The pathway document as it stands in YAML: states, triggers, needs, fields, clocks and what follows from a step."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from states.allocation import Policy
from states.detection import DetectionParameters

Role = Literal["supervisor", "case_worker", "job_agency", "volunteers", "landlord", "lead", "system"]
Unit = Literal["working_days", "calendar_days", "calendar_months"]
# Segments are joined with dots and used as names in SQL text and URLs: plain lower-case words only.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Parameters = dict[str, int | str | bool | list[str]]


Performed = Literal[
    "sign_plan",
    "excuse_instalments",
    "mark_deceased",
    "propose_pip",
    "sign_pip",
    "vary_pip",
    "begin_placement",
    "check_placement",
    "end_placement",
    "keep_participation",
    "keep_invitation",
    "keep_appointment",
    "end_appointment",
    "write_off",
    "propose_handover",
    "accept_handover",
    "refuse_handover",
    "revoke_handover",
    "propose_alongside",
    "answer_alongside",
]


class Part(BaseModel):
    """Base of every part: frozen, and a key it does not know is an error rather than a silent typo."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A short text in both languages."""

    it: str
    en: str

    def in_(self, language: str) -> str:
        """The text in `language`; Italian for any language but English."""
        return self.en if language == "en" else self.it


class FieldSpec(Part):
    """One thing a trigger asks for. Prompts, forms and API schemas are generated from it."""

    type: Literal["text", "choice", "date", "bool", "int", "money", "staff", "person", "member", "vat_number"]
    label: Text
    required: bool = True
    choices: dict[str, Text] = {}
    privacy: Literal["none", "personal", "special"] = "none"
    minimum: int | None = None
    maximum: int | None = None

    @model_validator(mode="after")
    def _choices_belong_to_choice(self) -> "FieldSpec":
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices belong to fields of type choice, and those need them")
        if self.type in ("text", "vat_number") and self.privacy == "none":
            raise ValueError("free text can hold anything about a person: privacy must be personal or special")
        return self


class Consequence(Part):
    """One thing that follows from a step; exactly one of the verbs is given."""

    message: Name | None = None  # to the household
    day_before: Name | None = None  # a date field: the message leaves on the day before it
    tell: Role | None = None  # to staff, at once, with `with_message`
    with_message: Name | None = None
    task: Name | None = None
    task_role: Role = "case_worker"
    task_within: int | None = None  # working days
    task_before: Name | None = None  # a figure that holds a day: the task is due before it, should that come earlier
    task_label: Text | None = None
    close_task: Name | None = None
    withdraw: Literal["all", "demands"] | None = None
    signal: Name | None = None  # a household trigger, fired by the system in the same decision
    persons: Name | None = None  # a person trigger, fired for every journey not yet final
    perform: Performed | None = None  # by the services, with the fields
    record: dict[str, int | str | bool] | None = None  # facts
    when: dict[str, Parameters] = {}

    @model_validator(mode="after")
    def _one_verb(self) -> "Consequence":
        verbs = (
            self.message,
            self.tell,
            self.task,
            self.close_task,
            self.withdraw,
            self.signal,
            self.persons,
            self.perform,
        )
        if sum(verb is not None for verb in (*verbs, self.record)) != 1:
            raise ValueError(
                "give exactly one of message, tell, task, close_task, withdraw, signal, persons, perform, record"
            )
        if (self.tell is None) != (self.with_message is None):
            raise ValueError("tell and with_message belong together")
        if (self.task is None) != (self.task_label is None):
            raise ValueError("task and task_label belong together")
        return self


class Way(Part):
    """One transition of a trigger: where to, and what it needs (guard name: its parameters)."""

    to: str | None = None  # None: the case stays, something is recorded
    needs: dict[str, Parameters] = {}


class TriggerSpec(Part):
    """What may be done from a state."""

    label: Text
    by: list[Role]
    to: str | None = None
    needs: dict[str, Parameters] = {}
    ways: dict[str, Way] = {}  # several transitions, told apart by their needs
    fields: dict[str, FieldSpec] = {}
    then: dict[str, Consequence] = {}
    attempt: bool = False  # its fields (on, channel, outcome) are a contact attempt
    eventless: bool = False  # taken by itself as soon as its needs hold (SCXML: eventless transition)
    four_eyes: Name | None = None  # whoever fired that trigger last on this case may not fire this one

    @model_validator(mode="after")
    def _one_way_of_saying(self) -> "TriggerSpec":
        if self.ways and (self.to or self.needs):
            raise ValueError("give either ways, or to and needs")
        return self

    def all_ways(self) -> dict[str, Way]:
        """Its transitions, one or several."""
        return self.ways or {"only": Way(to=self.to, needs=self.needs)}


class AlarmSpec(Part):
    """When a clock rings and what that does."""

    after: int | None = Field(default=None, ge=0)  # first ring, in the clock's unit; default: `every`
    every: int | None = Field(default=None, ge=1)
    times: int | None = Field(default=None, ge=1)  # None with `every`: for as long as the state lasts
    working_days_before: int = Field(default=0, ge=0)  # ring so many working days earlier
    do: Literal["remind", "escalate", "message", "fire"]
    to: Role | None = None  # None: whoever the state waits on
    message: Name | None = None
    trigger: Name | None = None
    otherwise: Literal["nothing", "remind", "escalate"] = "nothing"  # when the trigger's needs fail
    say: Text | None = None  # what to do about it, for the digest

    @model_validator(mode="after")
    def _complete(self) -> "AlarmSpec":
        if self.after is None and self.every is None:
            raise ValueError("give after, every or both")
        if self.times is not None and self.every is None:
            raise ValueError("times needs every")
        if (self.do == "message") != (self.message is not None):
            raise ValueError("message belongs to do: message, which needs it")
        if (self.do == "fire") != (self.trigger is not None):
            raise ValueError("trigger belongs to do: fire, which needs it")
        if self.do in ("remind", "escalate") and self.say is None:
            raise ValueError("a reminder or escalation must say what to do")
        return self


class ClockSpec(Part):
    """A clock that starts when its state is entered and stops when it is left."""

    unit: Unit = "working_days"
    once: bool = False  # runs once in the life of a case, however often the state is entered
    alarms: dict[Name, AlarmSpec]


class StateSpec(Part):
    """A state, with its children. `parallel`: all children at once; `final`: its track ends here."""

    label: Text
    waits_on: Role | Literal["household", "person"] | None = None
    final: bool = False
    parallel: bool = False
    initial: Name | None = None
    stalls_after: int | None = Field(default=None, ge=1)  # working days without any human event
    clocks: dict[Name, ClockSpec] = {}
    triggers: dict[Name, TriggerSpec] = {}
    states: dict[Name, "StateSpec"] = {}

    @model_validator(mode="after")
    def _shape(self) -> "StateSpec":
        if self.parallel and (self.initial or not self.states):
            raise ValueError("a parallel state has children and no initial one")
        if self.initial and self.initial not in self.states:
            raise ValueError(f"initial state {self.initial!r} is not among the children")
        if self.final and (self.states or self.triggers):
            raise ValueError("a final state has neither children nor triggers")
        return self


class ChartSpec(Part):
    """One machine: the household's or the person's."""

    initial: Name
    closed: Name | None = None  # the top-level state whose children end a case
    states: dict[Name, StateSpec]
    everywhere: dict[Name, TriggerSpec] = {}  # from every state that is not closed or final


class ClosureSpec(Part):
    """Days on which the office is closed, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> "ClosureSpec":
        if self.last < self.first:
            raise ValueError("the last day comes before the first")
        return self


class CalendarSpec(Part):
    """The operational calendar."""

    extra_holidays: list[Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")]] = []
    closures: dict[Name, ClosureSpec] = {}

    @model_validator(mode="after")
    def _days_exist(self) -> "CalendarSpec":
        for day in self.extra_holidays:
            try:
                date.fromisoformat(f"2024-{day}")  # a leap year: 29 February is a day
            except ValueError as error:
                raise ValueError(f"{day!r} is no day of the year (month-day)") from error
        return self


class PauseSpec(Part):
    """The pause overlay."""

    longest_days: int = Field(ge=1)  # cumulative, calendar days, in the life of a case
    reasons: dict[Name, Text]
    review_every: int = Field(ge=1)  # working days between reminders once the review date has come
    say: Text


class MessagePolicy(Part):
    """What a household may be sent."""

    weekly_cap: int = Field(ge=1)


class PaymentPolicy(Part):
    """How instalments are judged."""

    tolerance_days: int = Field(ge=0)
    remind_before_days: int = Field(ge=0)
    # What comes first of money without a notice's reference; plans keep what was in force when they were signed.
    allocation: Policy = "oldest_first"
    # Proposals. There is no legal figure for what a household in arrears can bear: each town sets its own.
    housing_share_percent: int = Field(default=40, ge=1, le=100)  # of the income: rent, charges and instalment together
    least_left_cents: int = Field(default=50_000, ge=0)  # a month, to live on, for the first person
    least_left_further_percent: int = Field(default=30, ge=0, le=100)  # of that, for each further person
    smallest_instalment_cents: int = Field(default=2_000, ge=1)
    shortest_months: int = Field(default=2, ge=1, le=120)
    longest_months: int = Field(default=36, ge=1, le=120)

    @model_validator(mode="after")
    def _lengths_in_order(self) -> "PaymentPolicy":
        if self.shortest_months > self.longest_months:
            raise ValueError("shortest_months is longer than longest_months")
        return self


class CommunityPolicy(Part):
    """What time given to the neighbours is worth."""

    points_per_hour: int = Field(default=10, ge=0, le=1000)  # at the emporio


class ReferralPolicy(Part):
    """How long a service may take to answer."""

    answer_within: int = Field(default=10, ge=1)  # working days


class PathwayDocument(Part):
    """The whole document, overlays merged."""

    name: Name
    version: int = Field(ge=1)
    title: Text
    extends: Name | None = None
    quarter: str | None = None  # the name of the quarter in the landlord's files
    creditors: dict[Name, str] = {}  # item: who bills it
    partners: dict[str, Name] = {}  # role: code of the partner who holds it in this quarter
    calendar: CalendarSpec
    detection: DetectionParameters
    pause: PauseSpec
    messages: MessagePolicy
    payments: PaymentPolicy
    community: CommunityPolicy = CommunityPolicy()  # cases pinned before it was asked have these
    referrals: ReferralPolicy = ReferralPolicy()
    household: ChartSpec
    person: ChartSpec
