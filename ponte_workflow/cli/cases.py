"""`ponte case ...`: look at cases and move them along their pathway."""

from typing import Annotated, Any

import typer

from ponte_workflow.cli.context import (
    Acting,
    As,
    AsJson,
    Code,
    On,
    acting,
    euros,
    print_json,
    print_table,
    read_date,
    shown,
)
from ponte_workflow.cli.fields import ask_missing, read_pairs
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework, undoing, views, worktray
from ponte_workflow.services.words import flag_name, role_name, state_labels
from ponte_workflow.services.worktray import TrayRow
from ponte_workflow.store.cases import CaseRow

app = typer.Typer(help="Cases: list, show, advance, pause, undo", no_args_is_help=True)
Person = Annotated[int, typer.Option("--person", help="A person's own journey, by the id that `case show` prints")]
Expected = Annotated[int | None, typer.Option("--version", help="Refuse if the case has another version by now")]


@app.command("list")
def list_(
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
    closed: Annotated[bool, typer.Option("--all", help="Closed cases too")] = False,
    state: Annotated[str | None, typer.Option(help="Only cases in this state, e.g. engagement")] = None,
) -> None:
    """The cases that you may see."""
    with acting(username, on) as act:
        rows = worktray.case_list(act.tx, act.who, everything=closed, state=state)
    if as_json:
        print_json(rows)
    else:
        print_tray(_("Cases"), rows, empty=_("No cases yet. The night opens them: ponte nightly"))


@app.command()
def show(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """One case: people, where it stands, clocks, tasks, plan."""
    with acting(username, on) as act:
        view = views.show(act.tx, act.who, code)
    row = view.standing.row
    if as_json:
        print_json(
            {
                "code": row.code,
                "version": row.version,
                "configuration": row.configuration,
                "state": view.state,
                "waits_on": view.waits_on,
                "household": view.listed.household,
                "place": view.listed.place,
                "quarter": view.listed.quarter,
                "worker": view.listed.worker,
                "opened_on": row.opened_on,
                "closed_on": row.closed_on,
                "paused": row.paused,
                "stalled_on": row.stalled_on,
                "persons": [
                    {"id": i, "name": n, "born": b, "deceased_on": d, "journey": view.journeys.get(i)}
                    for i, (n, b, d) in view.persons.items()
                ],
                "clocks": view.clocks,
                "tasks": [task._asdict() for task in view.tasks],
                "plan": None
                if view.plan is None
                else {
                    "signed_on": view.plan[0],
                    "instalments": [{"due_on": d, "cents": c, "status": s} for d, c, s in view.plan[1]],
                },
            }
        )
        return
    typer.echo(f"{row.code}  {view.listed.household}, {view.listed.place} ({view.listed.quarter})")
    typer.echo(_("Stands in: {state}").format(state="; ".join(view.state)) + (_("  [paused]") if row.paused else ""))
    typer.echo(
        _("Waits on: {who}   Worker: {worker}").format(
            who=", ".join(role_name(r) for r in view.waits_on) or "—", worker=view.listed.worker or "—"
        )
    )
    print_table(
        _("People"),
        ("id", _("name"), _("born"), "PIP"),
        [(i, n, b, view.journeys.get(i)) for i, (n, b, _d) in view.persons.items()],
        empty="",
    )
    print_table(
        _("Clocks"),
        (_("clock"), _("started"), _("next alarm"), _("working days left")),
        [(c["clock"], c["started_on"], c["due_on"], c["working_days_left"]) for c in view.clocks],
        empty=_("No clock is running."),
    )
    if view.tasks:
        print_table(
            _("Tasks"), (_("task"), _("for"), _("due")), [(t.kind, t.role, t.due_on) for t in view.tasks], empty=""
        )
    if view.plan:
        print_table(
            _("Payment plan signed on {day}").format(day=shown(view.plan[0])),
            (_("due"), "EUR", _("status")),
            [(d, euros(c), s) for d, c, s in view.plan[1]],
            empty="",
        )
    typer.echo(_("What may be done next: ponte case why {code}").format(code=code))


@app.command()
def why(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """What may I do next, what is missing, and who can fix it: for every trigger."""
    with acting(username, on) as act:
        standing, possible = casework.why(act.tx, act.who, code)
        roles = act.who.actor.roles
    lang = language()
    answers: list[dict[str, Any]] = [
        {
            "trigger": p.trigger,
            "label": p.label.in_(lang),
            "person": p.person_id or None,
            "to": p.to,
            "ready": p.ready,
            "yours": p.for_roles(roles),
            "by": p.by,
            "missing": [{"need": f.name, "sentence": f.sentence.in_(lang), "fix_by": f.fix_by} for f in p.missing],
            "asked": [{"need": f.name, "sentence": f.sentence.in_(lang)} for f in p.asked],
            "fields": {
                name: {
                    "type": f.type,
                    "required": f.required,
                    "label": f.label.in_(lang),
                    "privacy": f.privacy,
                    "choices": {k: v.in_(lang) for k, v in f.choices.items()},
                }
                for name, f in p.fields.items()
            },
        }
        for p in possible
    ]
    if as_json:
        print_json(
            {
                "code": code,
                "state": state_labels(standing.pathway, standing.row.configuration),
                "version": standing.row.version,
                "possibilities": answers,
            }
        )
        return
    rows = []
    for a in answers:
        if a["by"] == ("system",):
            verdict = _("by itself")
        elif not a["ready"]:
            verdict = _("not yet: {what}").format(
                what="; ".join(
                    f"{m['sentence']} [{', '.join(role_name(r) for r in m['fix_by'])}]" for m in a["missing"]
                )
            )
        else:
            verdict = (
                _("yes")
                if a["yours"]
                else _("for: {roles}").format(roles=", ".join(role_name(r) for r in a["by"] if r != "system"))
            )
        fields = ", ".join(name if f["required"] else f"[{name}]" for name, f in a["fields"].items())
        rows.append((a["trigger"] + (f" --person {a['person']}" if a["person"] else ""), a["label"], verdict, fields))
    typer.echo(f"{code}: {'; '.join(state_labels(standing.pathway, standing.row.configuration))}")
    print_table("", (_("trigger"), _("what"), _("possible"), _("asks for")), rows, empty=_("Nothing may be done here."))


@app.command()
def advance(
    code: Code,
    trigger: Annotated[str, typer.Argument(help="What to do, as `case why` names it")],
    values: Annotated[list[str] | None, typer.Option("--set", "-s", help="A field: name=value; repeat it")] = None,
    person: Person = 0,
    version: Expected = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Fire a trigger. At a terminal, missing fields are asked for."""
    with acting(username, on) as act:
        fields = read_pairs(values or [])
        fields = ask_missing(act, code, trigger, person, fields)
        row = casework.advance(act.tx, act.who, code, trigger, fields, person_id=person, expected_version=version)
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def attempt(
    code: Code,
    channel: Annotated[str, typer.Option(help="phone, door, letter, email, neighbour, office")],
    outcome: Annotated[str, typer.Option(help="spoken, no_answer, refused, message_left")],
    day: Annotated[str | None, typer.Option("--day", help="When, if not today")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a contact attempt."""
    fields = {"channel": channel, "outcome": outcome} | ({"attempted_on": day} if day else {})
    with acting(username, on) as act:
        row = casework.advance(act.tx, act.who, code, "record_attempt", fields)
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def assign(
    code: Code,
    worker: Annotated[str, typer.Argument(help="Username of the case worker")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Give a case to a case worker: a new one, or one under way."""
    with acting(username, on) as act:
        row = casework.assign(act.tx, act.who, code, worker)
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def reopen(
    code: Code,
    reason: Annotated[str, typer.Option(help="Why")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Open a closed case again, with its history."""
    with acting(username, on) as act:
        row = casework.advance(act.tx, act.who, code, "reopen", {"reason": reason})
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def pause(
    code: Code,
    reason: Annotated[str, typer.Option(help="hospital, abroad, mourning, legal, other_service")],
    until: Annotated[str, typer.Option(help="Review date, YYYY-MM-DD")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Let a case stand still until a review date; its clocks stand still too."""
    with acting(username, on) as act:
        row = casework.pause(act.tx, act.who, code, reason, read_date(until))
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def resume(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Let a paused case go on; its clocks move by the time that it stood still."""
    with acting(username, on) as act:
        row = casework.resume(act.tx, act.who, code)
        state = _state(act, row)
    _say(row, state, as_json)


@app.command()
def undo(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Take back the last step, as long as no message that left depended on it."""
    with acting(username, on) as act:
        row, entry = undoing.undo(act.tx, act.who, code)
        state = _state(act, row)
    if not as_json:
        typer.echo(
            _("Taken back: {what} of {day}").format(what=entry.data.get("trigger", entry.kind), day=shown(entry.on))
        )
    _say(row, state, as_json)


@app.command()
def history(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Everything that happened to a case, and who did it."""
    with acting(username, on) as act:
        entries = views.told(act.tx, act.who, code)
    if as_json:
        print_json(entries)
        return
    rows = [(e.seq, e.on, e.by, e.what, "; ".join(f"{k}: {v}" for k, v in e.personal.items())) for e in entries]
    print_table(code, ("#", _("on"), _("by"), _("what"), _("notes")), rows, empty="")


def print_tray(title: str, rows: tuple[TrayRow, ...], *, empty: str) -> None:
    """Cases as a table: who, where it stands, since when, next alarm, what to do."""
    print_table(
        title,
        (_("case"), _("household"), _("home"), _("state"), _("waits on"), _("since"), _("next alarm"), _("what to do")),
        [
            (
                r.code,
                r.household,
                f"{r.place}",
                r.state + (f" [{', '.join(flag_name(one) for one in r.flags)}]" if r.flags else ""),
                ", ".join(role_name(role) for role in r.waits_on),
                r.since,
                r.due_on,
                r.what_to_do,
            )
            for r in rows
        ],
        empty=empty,
    )


def _state(act: Acting, row: CaseRow) -> tuple[str, ...]:
    return state_labels(act.who.pathways.pinned(act.tx, row.pathway_version_id), row.configuration)


def _say(row: CaseRow, state: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "code": row.code,
                "version": row.version,
                "configuration": row.configuration,
                "state": state,
                "paused": row.paused,
                "closed_on": row.closed_on,
            }
        )
    else:
        typer.echo(f"{row.code}: {'; '.join(state)}" + (_("  [paused]") if row.paused else ""))
