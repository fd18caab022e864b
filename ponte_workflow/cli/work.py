"""`ponte worktray`, `ponte stalled`, `ponte lists`: what is mine today, and what stands still."""

import typer

from ponte_workflow.cli.cases import print_tray
from ponte_workflow.cli.context import As, AsJson, On, acting, euros, print_json, print_table
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import rights, views
from ponte_workflow.services import worktray as trays


def worktray(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """What is mine: who, why, since when, what to do; the urgent first."""
    with acting(username, on) as act:
        rows = trays.worktray(act.tx, act.who)
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(_("Nothing waits for you today."))
    titles = {"overdue": _("Overdue"), "today": _("Today"), "this_week": _("This week"), "waiting": _("Later")}
    titles |= {"snoozed": _("Put off")}
    for urgency, title in titles.items():
        group = tuple(row for row in rows if row.urgency == urgency)
        if group:
            print_tray(f"{title} ({len(group)})", group, empty="")


def stalled(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Cases in which nothing happens: who waits for whom, since when."""
    with acting(username, on) as act:
        rows = trays.stalled(act.tx, act.who)
    if as_json:
        print_json(rows)
    else:
        print_tray(_("Stalled cases"), rows, empty=_("No case stalls."))


def lists(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Serious and persistent arrears, and contained ones where a case was closed before."""
    with acting(username, on) as act:
        rights.require_role(act.who.actor, "supervisor", "lead", "landlord")
        rows = views.lists(act.tx, act.who)
    if as_json:
        print_json(rows)
        return
    print_table(
        _("For a supervisor"),
        (_("list"), _("tenancy"), _("home"), _("quarter"), _("since"), _("balance"), _("a year ago"), _("monthly")),
        [
            (
                r["kind"],
                r["tenancy"],
                r["place"],
                r["quarter"],
                r["since"],
                euros(r["balance_cents"]),
                euros(r["balance_year_ago_cents"]),
                euros(r["monthly_cents"]),
            )
            for r in rows
        ],
        empty=_("Nobody is on the list."),
    )
