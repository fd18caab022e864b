"""`ponte task|agenda|team|caseload`: what is asked of whom, who meets whom, who works with whom, who takes over."""

from typing import Annotated

import typer

from ponte_workflow import clock
from ponte_workflow.cli.context import As, AsJson, On, acting, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language, ngettext
from ponte_workflow.services import agenda as agendas
from ponte_workflow.services import caseloads, tasks, teaming
from ponte_workflow.services.caseloads import Given
from ponte_workflow.services.meeting import STATUSES

task = typer.Typer(help="Tasks", no_args_is_help=True)
team = typer.Typer(help="Teams", no_args_is_help=True)
caseload = typer.Typer(help="Whole caseloads", no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="The task as the list names it: task/12 or todo/3")]
Giver = Annotated[str, typer.Argument(help="Username of whoever gives the cases")]
Taker = Annotated[str, typer.Argument(help="Username of whoever takes them")]
TeamId = Annotated[int, typer.Argument(help="Number of the team", min=1)]


@task.command("list")
def list_tasks(
    section: Annotated[str | None, typer.Option(help="overdue, today, this_week, later or snoozed")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """What is asked of you, the most urgent first."""
    with acting(username, on) as act:
        desk = tasks.mine(act.tx, act.who, section)
    if as_json:
        print_json(desk)
        return
    print_table(
        _("My tasks"),
        ("", _("task"), _("by"), _("case"), _("household")),
        [(one.key, one.what, one.due_on, one.code, one.household) for one in desk.lines],
        empty=_("No task waits for you."),
    )


@task.command("add")
def add_task(
    what: Annotated[str, typer.Argument(help="What is to be done; kept encrypted")],
    due: Annotated[str, typer.Option(help="By when, YYYY-MM-DD")],
    case: Annotated[str | None, typer.Option(help="The case it is about")] = None,
    worker: Annotated[str | None, typer.Option("--for", help="Username of one of your own people")] = None,
    username: As = None,
    on: On = None,
) -> None:
    """Note a task for yourself, or for one of your people."""
    with acting(username, on) as act:
        number = tasks.add(act.tx, act.who, what, read_date(due), code=case, username=worker)
    typer.echo(f"{tasks.OWN}/{number}")


@task.command()
def done(key: Key, username: As = None, on: On = None) -> None:
    """It is done."""
    with acting(username, on) as act:
        tasks.done(act.tx, act.who, key)
    typer.echo(_("Done."))


@task.command()
def snooze(
    key: Key,
    until: Annotated[str | None, typer.Option(help="Until that day, YYYY-MM-DD; without: back on the list")] = None,
    username: As = None,
    on: On = None,
) -> None:
    """Out of your sight until a day."""
    with acting(username, on) as act:
        tasks.snooze(act.tx, act.who, key, read_date(until) if until else None)
    typer.echo(_("Put off.") if until else _("Back on the list."))


def agenda(
    days: Annotated[int, typer.Option(help="How many days")] = 14,
    everybody: Annotated[bool, typer.Option("--all", help="All that you may see, not yours alone")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The appointments that are coming."""
    with acting(username, on) as act:
        found = agendas.agenda(act.tx, act.who, act.who.on, days, everybody=everybody)
    rows = [(one, household) for _day, list_ in found for one, household in list_]
    if as_json:
        print_json([{**one._asdict(), "household": household} for one, household in rows])
        return
    print_table(
        _("Agenda"),
        (_("when"), _("case"), _("household"), _("what"), _("where"), _("worker"), _("state")),
        [
            (
                one.starts_at.astimezone(clock.ROME),
                one.code,
                household,
                one.what,
                one.where,
                one.worker,
                STATUSES[one.status].in_(language()),
            )
            for one, household in rows
        ],
        empty=_("No appointment in these days."),
    )


@team.command("list")
def list_teams(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every team with its coordinator and people."""
    with acting(username, on) as act:
        found = teaming.all_of(act.tx, act.who)
    if as_json:
        print_json(
            [
                {
                    "id": one.row.id,
                    "name": one.row.name,
                    "organisation": one.row.partner,
                    "coordinator": one.coordinator.username if one.coordinator else None,
                    "members": [member.username for member in one.members],
                }
                for one in found
            ]
        )
        return
    print_table(
        _("Teams"),
        ("", _("team"), _("organisation"), _("coordinator"), _("people")),
        [
            (
                one.row.id,
                one.row.name,
                one.row.partner,
                one.coordinator.name if one.coordinator else None,
                [member.name for member in one.members],
            )
            for one in found
        ],
        empty=_("There is no team yet: ponte team add"),
    )


@team.command("add")
def add_team(
    organisation: Annotated[str, typer.Argument(help="Code of the organisation")],
    name: Annotated[str, typer.Argument(help="Name of the team")],
    username: As = None,
    on: On = None,
) -> None:
    """A new team."""
    with acting(username, on) as act:
        number = teaming.add(act.tx, act.who, organisation, name)
    typer.echo(str(number))


@team.command("set")
def set_team(
    number: TeamId,
    name: Annotated[str, typer.Option(help="Its name")],
    member: Annotated[list[str] | None, typer.Option(help="Username; several with several options")] = None,
    coordinator: Annotated[str | None, typer.Option(help="Username of a supervisor")] = None,
    username: As = None,
    on: On = None,
) -> None:
    """The team as it shall be: whoever is not named leaves it."""
    with acting(username, on) as act:
        teaming.put(act.tx, act.who, number, name, coordinator, tuple(member or ()))
    typer.echo(_("Kept."))


@team.command("remove")
def remove_team(number: TeamId, username: As = None, on: On = None) -> None:
    """The team is no more; its people and their cases stay."""
    with acting(username, on) as act:
        teaming.remove(act.tx, act.who, number)
    typer.echo(_("The team is no more; its people and their cases stay as they are."))


@caseload.command()
def preview(giver: Giver, taker: Taker, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """What a handover would do to each open case. Nothing is done."""
    with acting(username, on) as act:
        found = caseloads.preview(act.tx, act.who, giver, taker)
    if as_json:
        print_json({"giver": giver, "taker": taker, "going": found.going, "cases": found.cases})
        return
    print_table(
        _("From {one} to {other}").format(one=found.giver.name, other=found.taker.name),
        (_("case"), _("household"), _("quarter"), _("state"), _("next alarm"), _("what would happen")),
        [(one.code, one.household, one.quarter, one.state, one.due_on, one.why or _("goes")) for one in found.cases],
        empty=_("No open case."),
    )


@caseload.command("hand-over")
def hand_over(
    giver: Giver,
    taker: Taker,
    until: Annotated[str | None, typer.Option(help="The day on which the cases come back; without: for good")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Give every open case of one worker to another, with the tasks and appointments about it."""
    with acting(username, on) as act:
        given = caseloads.hand_over(act.tx, act.who, giver, taker, until=read_date(until) if until else None)
    _told(given, as_json)


@caseload.command()
def undo(
    number: Annotated[int, typer.Argument(help="Number of the handover", min=1)],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Give the cases of a handover back."""
    with acting(username, on) as act:
        given = caseloads.give_back(act.tx, act.who, number)
    _told(given, as_json)


@caseload.command("list")
def list_handovers(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """The last handovers."""
    with acting(username, on) as act:
        found = caseloads.last(act.tx, act.who)
    if as_json:
        print_json(found)
        return
    print_table(
        _("The last handovers"),
        ("", _("on"), _("from"), _("to"), _("cases"), _("until"), _("came back")),
        [
            (one.row.id, one.row.on, one.giver, one.taker, one.row.cases, one.row.until_on, one.row.undone_on)
            for one in found
        ],
        empty=_("No caseload was handed over yet."),
    )


def _told(given: Given, as_json: bool) -> None:
    if as_json:
        print_json(given)
        return
    said = ngettext("{n} case was given over.", "{n} cases were given over.", given.went).format(n=given.went)
    typer.echo(f"{said} ({given.id})")
    for code, why in given.stayed.items():
        typer.echo(f"{code}: {why}")
