"""`ponte user|partner|audit ...`: people, and the proof that nothing was changed behind Ponte's back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, read_settings
from ponte_workflow.cli.context import Acting, AsJson, On, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import auditing
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import SYSTEM, describe
from ponte_workflow.store import network

user = typer.Typer(help="People who work with Ponte", no_args_is_help=True)
partner = typer.Typer(help="Organisations that take part", no_args_is_help=True)
audit = typer.Typer(help="Verify histories, certificates and balances", no_args_is_help=True)


@contextmanager
def _at_the_machine() -> Iterator[Acting]:
    """Whoever has the machine, the database and its key looks after the accounts: traces name nobody."""
    ponte, at = open_ponte(), clock.now()
    with ponte.store.transaction() as tx:
        yield Acting(ponte, tx, Occasion(SYSTEM, clock.today(), at, ponte.pathways))


@user.command("add")
def user_add(
    username: str,
    name: Annotated[str, typer.Option(help="The name people know")],
    partner_code: Annotated[str, typer.Option("--partner", help="Code of the organisation")],
    role: Annotated[list[str], typer.Option(help="supervisor, case_worker, job_agency, volunteers, landlord, lead")],
    email: Annotated[str | None, typer.Option(help="Where the morning digest goes")] = None,
    language: Annotated[str, typer.Option(help="it or en")] = "it",
    as_json: AsJson = False,
) -> None:
    """Add a member of staff."""
    # Imported late: argon2, httpx and what else accounts need are for these commands alone.
    from ponte_workflow.services import people

    given = people.Given(username, name, partner_code, frozenset(role), language, email or "")
    with _at_the_machine() as here:
        member = people.add(here.tx, here.who, given)
    if as_json:
        print_json({"id": member.id, "username": member.username})
    else:
        typer.echo(_("Added: {name} ({username})").format(name=member.name, username=member.username))


@user.command("list")
def user_list(as_json: AsJson = False) -> None:
    """Everybody, with partner and roles."""
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        everybody = list(network.members(tx).values())
    if as_json:
        print_json(everybody)
    else:
        print_table(
            _("Staff"),
            (_("who"), _("partner"), _("away until")),
            [(describe(m), m.partner_code, m.absent_until) for m in everybody],
            empty=_("Nobody yet: ponte user add"),
        )


@user.command("password")
def user_password(
    username: str,
    random: Annotated[bool, typer.Option("--random", help="Make one and print it once")] = False,
    final: Annotated[bool, typer.Option("--final", help="It need not be changed at the next sign-in")] = False,
    as_json: AsJson = False,
) -> None:
    """Set a password; every session of the person ends. Asked for twice at a terminal, read from stdin elsewhere."""
    from ponte_workflow.services import accounts, passwords, people

    with _at_the_machine() as here:
        member = network.member_by_username(here.tx, username)
    if random:
        password = accounts.random_password()
    elif sys.stdin.isatty():
        password = typer.prompt(_("New password"), hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    passwords.check_rules(password, member.username)
    hashed = passwords.hash_password(password)
    with _at_the_machine() as here:
        people.give_password(here.tx, here.who, username, hashed, must_change=not final)
    if as_json:
        print_json({"username": username, "password": password if random else None, "must_change": not final})
    elif random:
        typer.echo(_("Password of {name}, shown this once: {password}").format(name=username, password=password))
    else:
        typer.echo(_("The password of {name} is set.").format(name=username))


@user.command("unlock")
def user_unlock(username: str, as_json: AsJson = False) -> None:
    """End the lock that follows several wrong tries."""
    from ponte_workflow.services import people

    with _at_the_machine() as here:
        people.unlock(here.tx, here.who, username)
    _said(as_json, username, _("{name} can try again.").format(name=username))


@user.command("second-factor-off")
def user_second_factor_off(username: str, as_json: AsJson = False) -> None:
    """Remove the second factor of somebody who has lost phone and recovery codes; every session ends."""
    from ponte_workflow.services import people

    with _at_the_machine() as here:
        people.remove_second_factor(here.tx, here.who, username)
    _said(as_json, username, _("{name} has no second factor any more.").format(name=username))


@user.command("single-sign-on-off")
def user_single_sign_on_off(username: str, as_json: AsJson = False) -> None:
    """Forget who somebody is at the single sign-on: the next time, the username binds them anew; every session ends."""
    from ponte_workflow.services import people

    with _at_the_machine() as here:
        people.forget_single_sign_on(here.tx, here.who, username)
    _said(as_json, username, _("{name} is no longer bound to the single sign-on.").format(name=username))


def _said(as_json: bool, username: str, sentence: str) -> None:
    if as_json:
        print_json({"username": username})
    else:
        typer.echo(sentence)


@user.command("away")
def user_away(
    username: str,
    first: Annotated[str | None, typer.Option("--from", help="First day away; leave out both to be back")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day away")] = None,
    deputy: Annotated[str | None, typer.Option(help="Who covers")] = None,
    as_json: AsJson = False,
) -> None:
    """Note an absence with a deputy, or end it."""
    from ponte_workflow.services import people

    begin, end = (read_date(first) if first else None), (read_date(last) if last else None)
    with _at_the_machine() as here:
        people.set_absence(here.tx, here.who, username, begin, end, deputy)
    _noted({"username": username, "from": begin, "to": end, "deputy": deputy}, as_json)


@partner.command("add")
def partner_add(
    code: str,
    name: Annotated[str, typer.Option(help="Full name")],
    kind: Annotated[str, typer.Option(help="landlord, municipality, cooperative, agency, association")],
    quarter: Annotated[list[str] | None, typer.Option(help="Code of a quarter in which it works; repeat it")] = None,
    as_json: AsJson = False,
) -> None:
    """Add an organisation, or the quarters in which it works."""
    from ponte_workflow.services import partners

    with _at_the_machine() as here:
        there = next((one for one in partners.partners(here.tx, here.who) if one.code == code), None)
        if there is None:
            partners.add(here.tx, here.who, code, name, kind, quarter or [])
        else:
            known = {one.code for one in network.quarters(here.tx) if one.id in there.quarters}
            partners.edit(here.tx, here.who, code, name, kind, {*known, *(quarter or [])})
    _noted({"code": code, "quarters": quarter or []}, as_json)


@audit.command()
def verify(
    everything: Annotated[
        bool, typer.Option("--all", help="The promises about nights, messages and money too")
    ] = False,
    as_json: AsJson = False,
    on: On = None,
) -> None:
    """Check every history chain, replay it, check the certificates and the maintained balances."""
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        report = auditing.verify(tx, ponte.pathways, promises=everything)
    if as_json:
        print_json(report)
    else:
        for name, count in report.checked.items():
            typer.echo(f"{name}: {count}")
        typer.echo(_("Everything holds.") if report.sound else "\n".join(report.found), err=not report.sound)
    if not report.sound:
        raise typer.Exit(1)


def doctor(as_json: AsJson = False) -> None:
    """What is wrong with this installation and what to do; exit code 1 when something does not work."""
    from ponte_workflow import clock
    from ponte_workflow.services.doctor import examine

    found = examine(read_settings(), clock.now())
    if as_json:
        print_json(found)
    else:
        names = {
            "time zone": _("time zone"),
            "disk": _("disk"),
            "folder": _("folder"),
            "key": _("field key"),
            "database": _("database"),
            "database file": _("database file"),
            "clock": _("clock"),
            "night": _("last night"),
            "set aside": _("cases set aside"),
            "outbox": _("messages that wait"),
            "decisions": _("messages for a person"),
            "ledgers": _("ledgers"),
            "people": _("people"),
            "pathways": _("pathways"),
            "mail": _("mail server"),
            "certified mail": _("certified mail"),
            "certified mailbox": _("certified mailbox"),
            "SMS": "SMS",
            "single sign-on": _("single sign-on"),
            "prefect": "Prefect",
        }
        signs = {"good": "ok", "look": _("look"), "bad": _("BAD")}
        print_table(
            _("How this installation stands"),
            ("", _("what"), _("found"), _("what to do")),
            [(signs[one.state], names[one.name], one.what, one.mend) for one in found],
            empty="",
        )
    if any(one.state == "bad" for one in found):
        raise typer.Exit(1)


def _noted(what: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(what)
    else:
        typer.echo(_("Noted."))
