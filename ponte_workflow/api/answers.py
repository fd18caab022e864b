"""What the API answers: cases, triggers, histories, lists. Dates are ISO, amounts integer cents."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field


class Words(BaseModel):
    """A short text in both languages."""

    it: str
    en: str


class Step(BaseModel):
    """A step that somebody in the token's roles usually takes from here."""

    trigger: str
    label: str


class CaseListed(BaseModel):
    """A case on a list."""

    code: str
    version: int
    configuration: list[str] = Field(description="The household's leaf states")
    state: str = Field(description="The same in words, in the language of the call")
    quarter: str
    household: str
    place: str
    waits_on: list[str]
    opened_on: date
    closed_on: date | None
    since: date
    due_on: date | None = Field(description="When its next clock rings")
    urgency: str = Field(description="overdue, today, this_week, waiting or snoozed")
    what_to_do: str
    worker: str | None
    flags: list[str]
    tasks: list[str]
    next_steps: list[Step]


class CasePage(BaseModel):
    """A page of cases. `next`: the cursor of the page after it; null on the last one."""

    items: list[CaseListed]
    next: str | None


class TrayItem(BaseModel):
    """A case that is the actor's to move, and why."""

    code: str
    version: int
    state: str
    quarter: str
    household: str
    place: str
    waits_on: list[str]
    since: date
    due_on: date | None
    urgency: str
    what_to_do: str
    worker: str | None
    flags: list[str]
    tasks: list[str]
    next_steps: list[Step]
    asked_on: date | None
    snoozed_until: date | None


class TrayPage(BaseModel):
    """A page of a worktray, 50 rows at most, and how many cases each section has in all."""

    items: list[TrayItem]
    counts: dict[str, int]
    next: str | None


class PersonTold(BaseModel):
    """A member of the household."""

    id: int
    name: str
    born_on: date
    deceased_on: date | None
    journey: str | None = Field(description="Where their own journey stands, in words")


class ClockTold(BaseModel):
    """A clock that runs."""

    clock: str
    person_id: int | None
    started_on: date
    due_on: date | None
    working_days_left: int | None


class TaskTold(BaseModel):
    """An open task."""

    kind: str
    role: str
    person_id: int | None
    opened_on: date
    due_on: date | None


class InstalmentTold(BaseModel):
    """One instalment of the payment plan."""

    due_on: date
    amount_cents: int
    status: str


class PlanTold(BaseModel):
    """The newest payment plan."""

    signed_on: date
    instalments: list[InstalmentTold]


class CaseTold(BaseModel):
    """One case."""

    code: str
    version: int
    configuration: list[str]
    state: list[str]
    waits_on: list[str]
    quarter: str
    household: str
    place: str
    worker: str | None
    opened_on: date
    closed_on: date | None
    paused: bool
    stalled_on: date | None
    persons: list[PersonTold]
    clocks: list[ClockTold]
    tasks: list[TaskTold]
    plan: PlanTold | None


class Need(BaseModel):
    """Something that a trigger needs and that is not there."""

    need: str
    sentence: Words
    fix_by: list[str] = Field(description="Roles that can see to it")
    remedies: list[str] = Field(description="Triggers, possible now, that record what is looked for")


class TriggerTold(BaseModel):
    """What may be done, or not yet."""

    trigger: str
    label: Words
    person_id: int | None = Field(description="Whose journey it moves; null: the household's")
    to: list[str]
    by: list[str] = Field(description="Roles that may")
    yours: bool = Field(description="Whether whom the token acts for has one of them")
    ready: bool = Field(description="Whether nothing is missing but what the fields ask")
    missing: list[Need]
    asked: list[Need] = Field(description="What the fields have to say")
    fields: dict[str, Any] = Field(description="JSON schema of the fields")


class TriggersTold(BaseModel):
    """What may be done with a case, the ready triggers first."""

    code: str
    version: int
    triggers: list[TriggerTold]


class CaseMoved(BaseModel):
    """Where a case stands after a step."""

    code: str
    version: int
    configuration: list[str]
    state: list[str]
    paused: bool
    closed_on: date | None


class StepUndone(CaseMoved):
    """The same after an undo: which entry was taken back."""

    undone_seq: int
    undone_trigger: str | None


class Entry(BaseModel):
    """One entry of a history."""

    seq: int
    on: date
    event: str
    by: str
    what: str
    personal: dict[str, str] = Field(description="What people wrote, by field")


class HistoryPage(BaseModel):
    """A page of a history, the oldest entry first."""

    items: list[Entry]
    next: str | None


class LineNote(BaseModel):
    """A line of the file, and what is to be said about it."""

    line: int
    text: str


class LedgerImported(BaseModel):
    """What an import did. `known`: rows that were there already; importing a file twice changes nothing."""

    file: str
    kind: str = Field(description="dwellings, households or ledger")
    read: int
    new: int
    changed: int
    known: int
    refused: int
    ledger_on: date | None
    refusals: list[LineNote] = Field(description="The first thousand refused lines, with the reason")
    warnings: list[LineNote]


class NightListed(BaseModel):
    """A night with the sums of its steps."""

    on: date
    status: str
    runner: str
    replayed: bool
    started_at: datetime
    completed_at: datetime | None
    looked_at: int
    acted_on: int
    set_aside: int
    certificate: str | None = Field(description="Hash of its certificate; null until it is completed")


class NightPage(BaseModel):
    """A page of nights, the newest first."""

    items: list[NightListed]
    next: str | None


class NightStep(BaseModel):
    """One step of a night."""

    step: str
    status: str
    looked_at: int
    acted_on: int
    set_aside: int
    note: str


class Sealed(BaseModel):
    """The certificate as it is kept, and its place in the chain."""

    content: dict[str, Any]
    hash: str
    previous_hash: str
    previous_on: date | None
    sound: bool = Field(description="Whether content, hash and the certificate before fit together")


class NightTold(NightListed):
    """One night with its steps and its certificate."""

    steps: list[NightStep]
    sealed: Sealed | None


class EventTold(BaseModel):
    """Something that happened to a case: ids and codes only. Webhooks send the same."""

    id: int
    event: str = Field(description="opened, step, recorded, clock, pause, resume, undo, note or contact")
    case: str
    seq: int
    on: date
    at: datetime
    trigger: str | None
    person_id: int | None
    source: list[str] = Field(alias="from", description="Leaf states before")
    target: list[str] = Field(alias="to", description="Leaf states after")
    undoes: int | None = Field(description="With event undo: the seq of the entry that it takes back")
    by_system: bool


class EventPage(BaseModel):
    """A page of events, the oldest first. `next`: from where to read on, now or later; null before the first event."""

    items: list[EventTold]
    next: str | None


class TriggerSchemas(BaseModel):
    """JSON schema (2020-12) of the fields of every trigger of a pathway, by trigger."""

    pathway: str
    version: int
    household: dict[str, dict[str, Any]]
    person: dict[str, dict[str, Any]]


class ContactTold(BaseModel):
    """One contact of a person; an empty value: none is known (a letter goes to the address of the home)."""

    kind: str = Field(description="phone, email, pec or letter")
    value: str
    preferred: bool
    consent: str | None = Field(description="yes or no; null: nobody has asked")
    consent_on: date | None
    wrong_on: date | None = Field(description="Since when nothing arrives there")
    takes_sms: bool | None = Field(description="Of a telephone number; null: it is none")


class ContactPerson(BaseModel):
    """An adult who can be written to."""

    person_id: int
    name: str
    contacts: list[ContactTold]


class Contacts(BaseModel):
    """The people of a case and how they are reached."""

    code: str
    persons: list[ContactPerson]


class NoticeTold(BaseModel):
    """A notice to the member of staff."""

    id: int
    at: datetime
    unread: bool
    kind: str = Field(description="remind, escalate or inform")
    what: str
    due_on: date
    case: str | None


class InboxPage(BaseModel):
    """A page of notices, the newest first; `unread`: of all of them."""

    items: list[NoticeTold]
    unread: int
    next: str | None


class CostLine(BaseModel):
    """A channel in a month. `pieces`: what was paid for, e.g. the segments of SMS."""

    month: str = Field(description="YYYY-MM")
    channel: str = Field(description="email, sms, pec, letter or inbox")
    messages: int
    pieces: int
    cost_cents: int
    delivered: int
    came_back: int


class Costs(BaseModel):
    """What left and what it cost."""

    items: list[CostLine]
