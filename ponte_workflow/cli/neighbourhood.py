"""`ponte event|emporio|service|referral ...`: the neighbourhood's life and the network of services around it."""

from datetime import datetime
from typing import Annotated

import typer

from ponte_workflow.cli.context import As, AsJson, Code, On, acting, print_json, print_table
from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import community, directory, gatherings
from ponte_workflow.services import emporio as keeping

event = typer.Typer(help="Events of the neighbourhood", no_args_is_help=True)
emporio = typer.Typer(help="Points earned by hours given, spent on goods", no_args_is_help=True)
service = typer.Typer(help="The directory of services around us", no_args_is_help=True)
referral = typer.Typer(help="Referrals to services", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="Number of the event, as ponte event list prints it", min=1, max=2**31)]


@event.command("list")
def list_events(
    past: Annotated[bool, typer.Option("--past", help="Those that were held")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Events to come, with households invited and come, and hours given."""
    with acting(username, on) as act:
        found = gatherings.calendar(act.tx, act.who, past=past).events
    if as_json:
        print_json(found)
        return
    print_table(
        _("Events"),
        ("", _("what"), _("when"), _("where"), _("invited"), _("came"), _("hours")),
        [
            (
                one.id,
                one.title,
                f"{one.starts_at.astimezone(ROME):%d/%m/%Y %H:%M}",
                one.place,
                one.invited,
                one.came,
                one.hours,
            )
            for one in found
        ],
        empty=_("Nothing is planned."),
    )


@event.command("add")
def add_event(
    title: Annotated[str, typer.Argument(help="As on a poster: no names of households")],
    kind: Annotated[str, typer.Option(help="assembly, dinner, course, repair_day, emporio or swap")],
    quarter: Annotated[str, typer.Option(help="Code of the quarter")],
    organiser: Annotated[str, typer.Option(help="Code of the association")],
    place: Annotated[str, typer.Option(help="Where")],
    starts: Annotated[str, typer.Option(help="2026-12-01T18:30, Rome")],
    ends: Annotated[str, typer.Option(help="2026-12-01T20:30, Rome")],
    seats: Annotated[int | None, typer.Option(help="Households; default as many as come")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Plan an event; prints its number."""
    planned = community.Planned(
        kind, title, quarter, organiser, place, _moment("--starts", starts), _moment("--ends", ends), seats
    )
    with acting(username, on) as act:
        number = community.plan_event(act.tx, act.who, planned)
    if as_json:
        print_json({"event": number})
    else:
        typer.echo(str(number))


@event.command()
def invite(number: Number, code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Invite a household: the message leaves by the rules of delivery."""
    with acting(username, on) as act:
        community.invite(act.tx, act.who, number, code)
    _said(as_json, {"event": number, "code": code}, _("Invited: the message leaves by the rules of delivery."))


@event.command()
def attend(
    number: Number,
    codes: Annotated[list[str], typer.Argument(help="The cases that came")],
    hours: Annotated[int, typer.Option(help="Hours given by each", min=0, max=24)] = 0,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Write down who came; what is refused is said, the rest is kept."""
    with acting(username, on) as act:
        refused = community.attend(act.tx, act.who, number, dict.fromkeys(codes, hours))
    kept = [code for code in codes if code not in refused]
    if as_json:
        print_json({"event": number, "kept": kept, "refused": refused})
    else:
        for sentence in refused.values():
            typer.echo(sentence, err=True)
        typer.echo(_("Attendance is written down."))
    if refused and not kept:
        raise typer.Exit(1)


@event.command()
def cancel(number: Number, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """It does not take place: invitations that wait do not leave."""
    with acting(username, on) as act:
        community.cancel(act.tx, act.who, number)
    _said(as_json, {"event": number, "cancelled": True}, _("The event is cancelled."))


@emporio.command()
def book(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """A household's points, line by line; the view leaves a trace."""
    with acting(username, on) as act:
        balance, entries = keeping.book(act.tx, act.who, code)
        row_goods = gatherings.shelves_of(act.tx, act.who, code)
    if as_json:
        print_json({"code": code, "points": balance, "entries": entries, "goods": row_goods})
        return
    print_table(
        _("{n} points").format(n=balance),
        (_("day"), _("what"), _("points"), _("left")),
        [(one.on, one.good or one.kind, one.points, one.balance) for one in entries],
        empty=_("No points yet: hours given to the neighbours earn them."),
    )


@emporio.command()
def spend(
    code: Code,
    good: Annotated[int, typer.Argument(help="Number of the good, as ponte emporio book --json prints it")],
    quantity: Annotated[int, typer.Option(help="How many")] = 1,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The household takes something; refused when it has not enough points."""
    with acting(username, on) as act:
        left = keeping.spend(act.tx, act.who, code, good, quantity)
    _said(as_json, {"code": code, "left": left}, _("Written down: {n} points are left.").format(n=left))


@emporio.command()
def put(
    name: Annotated[str, typer.Argument(help="What it is")],
    points: Annotated[int, typer.Argument(help="What one costs")],
    quarter: Annotated[str, typer.Option(help="Code of the quarter")],
    gone: Annotated[bool, typer.Option("--gone", help="It is no longer to be had")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Something on the shelves of a quarter; the same name again changes its price."""
    with acting(username, on) as act:
        keeping.put_good(act.tx, act.who, quarter, name, points, active=not gone)
    _said(as_json, {"name": name, "points": points, "quarter": quarter}, _("The shelves are up to date."))


@service.command("list")
def list_services(
    kind: Annotated[str, typer.Option(help="health, addiction, family, legal, debt, work, training, food, ...")] = "",
    quarter: Annotated[str, typer.Option(help="Code of a quarter that it serves")] = "",
    text: Annotated[str, typer.Option(help="Part of a name, an address, a language")] = "",
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The directory by name."""
    with acting(username, on) as act:
        found = directory.listed(act.tx, act.who, kind=kind, quarter=quarter, text=text)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Services around us"),
        ("", _("name"), _("kind"), _("contact"), _("opening hours")),
        [
            (one.id, one.name, directory.KINDS[one.kind].in_(language()), one.contact, one.opening_hours)
            for one in found
        ],
        empty=_("No service like this is in the directory."),
    )


@service.command("put")
def put_service(
    name: Annotated[str, typer.Argument(help="Name of the service")],
    kind: Annotated[str, typer.Option(help="health, addiction, family, legal, debt, work, training, food, ...")],
    number: Annotated[int | None, typer.Option(help="Number of the entry that is changed; default a new one")] = None,
    contact: Annotated[str, typer.Option(help="Of the office, never of a person")] = "",
    address: Annotated[str, typer.Option(help="Where")] = "",
    opening_hours: Annotated[str, typer.Option(help="When")] = "",
    languages: Annotated[str, typer.Option(help="Spoken there")] = "",
    quarter: Annotated[list[str] | None, typer.Option(help="Code of a quarter that it serves; several times")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="It takes no referrals any more")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """A new entry of the directory, or another form of one."""
    entry = directory.Entry(name, kind, contact, address, opening_hours, languages, quarter or (), not closed)
    with acting(username, on) as act:
        kept = directory.put(act.tx, act.who, entry, number)
    _said(as_json, {"service": kept}, _("The directory is up to date."))


@referral.command("list")
def list_referrals(
    answered: Annotated[bool, typer.Option("--answered", help="Those that were answered")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Referrals of the cases that one may see: those that wait the longest first."""
    with acting(username, on) as act:
        found = directory.referrals(act.tx, act.who, waiting=not answered)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Referrals"),
        (_("case"), _("service"), _("state"), _("proposed"), _("answer by")),
        [
            (
                one.code,
                one.receiving or one.service_id,
                directory.STATUSES[one.status].in_(language()),
                one.proposed_on,
                one.due_on,
            )
            for one in found
        ],
        empty=_("No referral waits for an answer."),
    )


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{field}: a day and an hour, for example 2026-12-01T18:30").format(field=option)) from error
    return moment.replace(tzinfo=ROME) if moment.tzinfo is None else moment


def _said(as_json: bool, told: dict[str, object], sentence: str) -> None:
    if as_json:
        print_json(told)
    else:
        typer.echo(sentence)
