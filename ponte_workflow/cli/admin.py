"""`ponte user|partner|db|audit ...`: people, the database, and the proof that nothing was changed behind Ponte's back."""

import sys
from typing import Annotated

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, open_store, read_settings
from ponte_workflow.cli.context import AsJson, On, print_json, print_table, read_date
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import auditing
from ponte_workflow.services.rights import describe
from ponte_workflow.store import migrate, network
from ponte_workflow.store.crypto import make_key_file

user = typer.Typer(help="People who work with Ponte", no_args_is_help=True)
partner = typer.Typer(help="Organisations that take part", no_args_is_help=True)
db = typer.Typer(help="The database and its key", no_args_is_help=True)
audit = typer.Typer(help="Verify histories, certificates and balances", no_args_is_help=True)


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
    if language not in ("it", "en"):
        raise BadInput(_("The language must be it or en, not {language}").format(language=language))
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        staff_id = network.add_staff(
            tx,
            username=username,
            name=name,
            partner_code=partner_code,
            roles=role,
            email=email,
            language=language,
            at=clock.now(),
        )
    if as_json:
        print_json({"id": staff_id, "username": username})
    else:
        typer.echo(_("Added: {name} ({username})").format(name=name, username=username))


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
    # Imported late: argon2 and the list of common passwords are for this command alone.
    from ponte_workflow.services import accounts, passwords

    ponte = open_ponte()
    with ponte.store.reading() as tx:
        member = network.member_by_username(tx, username)
    if random:
        password = accounts.random_password()
    elif sys.stdin.isatty():
        password = typer.prompt(_("New password"), hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    passwords.check_rules(password, member.username)
    hashed = passwords.hash_password(password)
    with ponte.store.transaction() as tx:
        accounts.put_password(tx, member.id, hashed, at=clock.now(), must_change=not final)
    if as_json:
        print_json({"username": username, "password": password if random else None, "must_change": not final})
    elif random:
        typer.echo(_("Password of {name}, shown this once: {password}").format(name=username, password=password))
    else:
        typer.echo(_("The password of {name} is set.").format(name=username))


@user.command("unlock")
def user_unlock(username: str, as_json: AsJson = False) -> None:
    """End the lock that follows several wrong tries."""
    from ponte_workflow.services import accounts

    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        accounts.unlock(tx, network.member_by_username(tx, username).id, clock.now())
    _said(as_json, username, _("{name} can try again.").format(name=username))


@user.command("second-factor-off")
def user_second_factor_off(username: str, as_json: AsJson = False) -> None:
    """Remove the second factor of somebody who has lost phone and recovery codes; every session ends."""
    from ponte_workflow.services import accounts

    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        accounts.remove_second_factor(tx, network.member_by_username(tx, username).id, clock.now())
    _said(as_json, username, _("{name} has no second factor any more.").format(name=username))


@user.command("single-sign-on-off")
def user_single_sign_on_off(username: str, as_json: AsJson = False) -> None:
    """Forget who somebody is at the single sign-on: the next time, the username binds them anew; every session ends."""
    from ponte_workflow.services import single_sign_on

    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        single_sign_on.forget(tx, network.member_by_username(tx, username).id, clock.now())
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
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        member = network.member_by_username(tx, username)
        deputy_id = network.member_by_username(tx, deputy).id if deputy else None
        begin, end = (read_date(first) if first else None), (read_date(last) if last else None)
        if begin and end and end < begin:
            raise BadInput(_("The last day away comes before the first"))
        network.set_absence(tx, member.id, begin, end, deputy_id)
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
    if kind not in ("landlord", "municipality", "cooperative", "agency", "association"):
        raise BadInput(_("Unknown kind of partner: {kind}").format(kind=kind))
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        network.add_partner(tx, code, name, kind, quarter or [])
    _noted({"code": code, "quarters": quarter or []}, as_json)


@db.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to the version of this program; makes it when there is none."""
    store = open_store(read_settings())
    migrate.upgrade(store.engine)
    if as_json:
        print_json({"version": migrate.HEAD})
    else:
        typer.echo(_("The database is up to date."))


@db.command("key")
def make_key() -> None:
    """Make the key file for encrypted fields (mode 600); an existing one is kept. Keep a copy in a safe place."""
    settings = read_settings()
    make_key_file(settings.key_path)
    typer.echo(
        _("The field key lies in {path}. Without it nobody reads the encrypted fields.").format(path=settings.key_path)
    )


@audit.command()
def verify(as_json: AsJson = False, on: On = None) -> None:
    """Check every history chain, replay it, check the certificates and the maintained balances."""
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        report = auditing.verify(tx, ponte.pathways)
    if as_json:
        print_json(report)
    else:
        for name, count in report.checked.items():
            typer.echo(f"{name}: {count}")
        typer.echo(_("Everything holds.") if report.sound else "\n".join(report.found), err=not report.sound)
    if not report.sound:
        raise typer.Exit(1)


def _noted(what: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(what)
    else:
        typer.echo(_("Noted."))
