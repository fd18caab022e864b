"""What `ponte nightly`, `ponte deliver` and `ponte worker` do."""

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

import typer

from flows import environment
from flows.delivering import deliver_all
from flows.fan_out import own_name
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte, open_ponte
from ponte_workflow.cli.context import AsJson, On, print_json, print_table, read_date
from ponte_workflow.errors import BadConfiguration, BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log
from ponte_workflow.services import night as nights
from ponte_workflow.services.night import looking, words


class PrefectUnavailable(PonteError):
    """Prefect cannot start here."""


def nightly(
    on: On = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Show every action and why; change nothing")] = False,
    without_prefect: Annotated[bool, typer.Option("--without-prefect", help="The same services, no server")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the night, and every night missed before it."""
    ponte = open_ponte()
    day = read_date(on)
    if rehearse:
        actions = nights.rehearse(ponte.night_plan("rehearsal"), day, at=clock.now())
        if as_json:
            print_json([asdict(action) for action in actions])
        else:
            _print_actions(actions)
        return
    if not nights.nights_to_run(ponte.store, day):
        certificate = nights.certificate(ponte.store, day)  # done already, or never: no server has to start for that
    elif without_prefect:
        certificate = _plain(ponte, day, quiet=as_json)
    else:
        certificate = with_prefect(ponte, day)
    if as_json:
        print_json(certificate)
    else:
        print_certificate(certificate)


def with_prefect(ponte: Ponte, day: date) -> dict[str, Any]:
    """The night as a Prefect flow: on a running server if there is one, else on one of its own."""
    environment.prepare(ponte.settings)
    try:
        from flows.nightly_check import nightly_check
    except ImportError as error:
        raise PrefectUnavailable(
            _(
                "Prefect cannot start ({why}). The night is possible all the same: ponte nightly --without-prefect"
            ).format(why=error)
        ) from error
    try:
        return followed_through(ponte, day, nightly_check)
    except (RecursionError, NotImplementedError):
        raise  # of our own making, and of nobody's server
    except RuntimeError as error:
        # What Prefect raises when its own server does not come up; our services raise PonteError.
        raise PrefectUnavailable(
            _(
                "Prefect cannot start ({why}). The night is possible all the same: ponte nightly --without-prefect"
            ).format(why=(str(error).splitlines() or ["?"])[0])
        ) from error


def followed_through(ponte: Ponte, day: date, flow: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The flow; when Prefect is lost on the way, the night goes on without it: the truth is in Ponte's store."""
    from httpx import HTTPError
    from prefect.exceptions import PrefectException

    try:
        return flow(day.isoformat())
    except (HTTPError, PrefectException) as error:
        log.warning("prefect lost", night=day.isoformat(), error=type(error).__name__)
    return nights.run_nights(ponte.night_plan("plain"), day, at=clock.now, incidents={"prefect_lost": 1})


def _plain(ponte: Ponte, day: date, *, quiet: bool) -> dict[str, Any]:
    plan = ponte.night_plan("plain")
    if quiet:
        return nights.run_nights(plan, day, at=clock.now)
    from rich.console import Console
    from rich.status import Status

    with Status("…", console=Console(stderr=True)) as status:
        return nights.run_nights(
            plan, day, at=clock.now, progress=lambda step, counts: status.update(f"{step}: {counts.looked_at}")
        )


def deliver(
    limit: Annotated[int, typer.Option(help="At most so many messages", min=1)] = 500,
    at: Annotated[str | None, typer.Option("--at", help="Moment, ISO with zone (default: now)")] = None,
    as_json: AsJson = False,
) -> None:
    """Send what waits in the outbox, tell programs what happened, and follow up what came back."""
    ponte, moment = open_ponte(), _moment(at)
    report, down = deliver_all(ponte, moment, limit)
    if as_json:
        print_json(report | {"channels_down": down})
    else:
        shown = ", ".join(f"{name} {count}" for name, count in report.items() if count and name != "down")
        typer.echo(shown or _("Nothing waits in the outbox."))
    if "email" in down:
        raise PonteError(_("The mail server does not answer: what waits stays in the outbox and is tried again"))
    if down:
        names = ", ".join(down)
        raise PonteError(
            _("These channels do not work just now: {names}; what waits for them stays").format(names=names)
        )


def _moment(text: str | None) -> datetime:
    if text is None:
        return clock.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no moment: write 2026-11-23T09:00+01:00").format(text=text)) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ROME)


def worker(
    pool: Annotated[str | None, typer.Option(help="A Prefect work pool shared with other machines")] = None,
    name: Annotated[str | None, typer.Option(help="This worker's name in the pool (default: the host's)")] = None,
) -> None:
    """Serve the schedules until stopped: the night at 03:30 Europe/Rome, the outbox every two minutes."""
    for variable, given in (("PONTE_WORK_POOL", pool), ("PONTE_WORKER_NAME", name)):
        if given is not None:
            os.environ[variable] = given  # the flow runs that this worker starts read it too
    ponte = open_ponte()
    environment.prepare(ponte.settings)
    if not os.environ.get("PREFECT_API_URL"):
        raise PrefectUnavailable(
            _("Set PONTE_PREFECT_API_URL to a running Prefect server, for example http://127.0.0.1:4200/api")
        )
    if ponte.settings.work_pool is None:
        from flows import serving

        serving.serve_all()
        return
    if not ponte.store.is_postgresql:
        raise BadConfiguration(
            _("Several workers need PostgreSQL: set PONTE_DATABASE_URL, or start ponte worker without a work pool")
        )
    from flows import pool as pools

    pools.work(ponte.settings.work_pool, own_name(ponte.settings))


def print_certificate(certificate: dict[str, Any]) -> None:
    """The certificate for people."""
    print_table(
        _("Night of {day} ({runner})").format(
            day=words.day(date.fromisoformat(certificate["night"])), runner=words.runner_name(certificate["runner"])
        ),
        (_("step"), _("state"), _("looked at"), _("acted on"), _("set aside"), _("note")),
        [
            (s.name, s.status, s.looked_at, s.acted_on, s.set_aside, s.note)
            for s in looking.steps_told(certificate["steps"])
        ],
        empty="",
    )
    ledgers = "; ".join(looking.ledgers_told(certificate["ledgers"]))
    typer.echo(_("Ledgers: {ledgers}").format(ledgers=ledgers or "—"))
    if certificate["missed_nights"]:
        missed = ", ".join(words.day(date.fromisoformat(day)) for day in certificate["missed_nights"])
        typer.echo(_("Missed nights done: {days}").format(days=missed))
    for sentence in looking.incidents_told(certificate):
        typer.echo(_("On the way: {what}").format(what=sentence))
    if certificate.get("held"):  # certificates of earlier versions do not know it
        typer.echo(_("Held back by people: {n}").format(n=certificate["held"]))
    for title, codes in ((_("Set aside"), certificate["set_aside"]), (_("Forgotten"), certificate["forgotten"])):
        if codes:
            typer.echo(f"{title}: {', '.join(codes)}", err=True)
    sealed = certificate["history"]
    typer.echo(
        _("Sealed {n} history entries, certificate {hash}").format(n=sealed["entries"], hash=certificate["hash"][:16])
    )


def _print_actions(actions: list[nights.Action]) -> None:
    done = [action for action in actions if action.done]
    columns = (_("night"), _("step"), _("case"), _("what"), _("why"))
    print_table(
        _("What the night would do ({n})").format(n=len(done)),
        columns,
        [(a.night, words.step_name(a.step), a.case, a.what, a.why) for a in done],
        empty=_("Nothing: every clock is still running."),
    )
    against = [action for action in actions if not action.done]
    if against:
        print_table(
            _("Decided against ({n})").format(n=len(against)),
            columns,
            [(a.night, words.step_name(a.step), a.case, a.what, a.why) for a in against],
            empty="",
        )
    typer.echo(_("Nothing was changed."))
