"""`ponte contact`, `ponte inbox`, `ponte costs`, `ponte bounces`: how people are reached, and what it costs."""

from dataclasses import asdict
from typing import Annotated

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.cli.context import As, AsJson, Code, On, acting, euros, print_json, print_table
from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import bouncing, contacts, costing, inboxes, reaching
from ponte_workflow.services.contacts import Mended, kind_name, said_words

contact = typer.Typer(help="How the people of a household are reached", no_args_is_help=True)
_YES = {"yes": True, "no": False}


@contact.command("list")
def contact_list(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every adult's addresses, wishes and what came back from there."""
    with acting(username, on) as act:
        people = contacts.list_contacts(act.tx, act.who, code)
    if as_json:
        print_json(people)
        return
    rows = [
        (one.id, one.name, kind_name(c.kind), c.value, _wish(c.preferred, c.agreed), _state(c))
        for one in people
        for c in one.contacts
        if c.value or c.kind == "letter"
    ]
    columns = (_("person"), _("name"), _("contact"), _("value"), _("wish"), _("state"))
    print_table(_("Contacts of {code}").format(code=code), columns, rows, empty=_("Nobody can be written to."))


@contact.command("set")
def contact_set(
    code: Code,
    person: Annotated[int, typer.Option(help="The person's number: ponte contact list")],
    kind: Annotated[str, typer.Option(help="phone, email, pec or letter")],
    value: Annotated[str | None, typer.Option(help="The number or address; empty: it is no longer known")] = None,
    preferred: Annotated[str | None, typer.Option(help="yes or no")] = None,
    wanted: Annotated[str | None, typer.Option(help="Whether the person wants messages there: yes or no")] = None,
    works: Annotated[str | None, typer.Option(help="Whether messages arrive there: yes or no")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Write down what is new about one contact."""
    for name, given in (("--preferred", preferred), ("--wanted", wanted), ("--works", works)):
        if given is not None and given not in _YES:
            raise BadInput(_("{name}: write yes or no").format(name=name))
    mended = Mended(
        value,
        _YES.get(preferred or ""),
        "yes" if wanted == "yes" else "no" if wanted == "no" else "",
        _YES.get(works or ""),
    )
    with acting(username, on) as act:
        new = contacts.mend(act.tx, act.who, code, person, kind, mended)
    if as_json:
        print_json({"changed": new})
    else:
        typer.echo(_("Contact kept.") if new else _("Nothing was new."))


def inbox(
    unread: Annotated[bool, typer.Option("--unread", help="What was not read yet")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """What Ponte told you: the newest fifty notices."""
    with acting(username, on) as act:
        found = inboxes.notices(act.tx, act.who, unread_only=unread)
    if as_json:
        print_json(asdict(found))
        return
    rows = [(one.at, _("unread") if one.unread else "", one.code, one.what) for one in found.rows]
    title = _("Inbox ({n} unread)").format(n=found.unread)
    print_table(title, (_("when"), "", _("case"), _("what")), rows, empty=_("Nothing."))


def costs(
    months: Annotated[int, typer.Option(help="How many months, with the running one", min=1, max=36)] = 12,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """What messages cost, by month and channel."""
    with acting(username, on) as act:
        found = costing.costs_by_month(act.tx, act.who, months)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Messages by month and channel"),
        (_("month"), _("channel"), _("messages"), _("pieces"), _("cost"), _("delivered"), _("came back")),
        [
            (f"{c.month:%m/%Y}", kind_name(c.channel), c.messages, c.pieces, euros(c.cents), c.delivered, c.came_back)
            for c in found
        ],
        empty=_("No message has left in these months."),
    )


def bounces(as_json: AsJson = False) -> None:
    """Read the mails that came back (PONTE_BOUNCES), and mark the contacts that are wrong."""
    ponte = open_ponte()
    if ponte.mailbox is None:
        raise BadInput(_("Set PONTE_BOUNCES to a mailbox (imaps://user@host/INBOX) or a folder of .eml files"))
    report = bouncing.read(ponte.store, ponte.mailbox, at=clock.now())
    wrong = reaching.follow(ponte.store, ponte.pathways, at=clock.now())
    if as_json:
        malformed = [{"mail": key, "why": why} for key, why in report.malformed]
        print_json({"read": dict(report.counts), "contacts_wrong": wrong, "malformed": malformed, "down": report.down})
    else:
        shown = ", ".join(f"{name} {n}" for name, n in sorted(report.counts.items()))
        typer.echo(shown or _("No mail came back."))
        typer.echo(_("Contacts found to be wrong: {n}").format(n=wrong))
        for key, why in report.malformed:
            typer.echo(_("{mail} cannot be read: {why}").format(mail=key, why=why), err=True)
    if report.down is not None:
        raise PonteError(_("The mailbox of returned mails does not answer: {why}").format(why=report.down))


def _wish(preferred: bool, agreed: bool | None) -> str:
    if preferred:
        return _("preferred")
    return "" if agreed is None else _("wanted") if agreed else _("not wanted")


def _state(one: contacts.ContactShown) -> str:
    return said_words(one.wrong_why if one.wrong_why != "told" else "wrong") if one.wrong_on and one.wrong_why else ""
