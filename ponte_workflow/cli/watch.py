"""`ponte watch`: has last night its certificate? For cron, a systemd timer or Nagios, whatever else is dead."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from notifications.errors import NotificationError
from ponte_workflow import clock
from ponte_workflow.bootstrap import alerts_of, open_ponte, read_settings
from ponte_workflow.cli.context import AsJson, print_json
from ponte_workflow.config import Settings
from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import alerting, watching
from ponte_workflow.store.engine import DatabaseFailed


def watch(
    alert: Annotated[bool, typer.Option("--alert", help="Tell PONTE_ALERT_URLS too, once for each night")] = False,
    as_json: AsJson = False,
) -> None:
    """Exit code 1 and a sentence when a night should have its certificate (by six in Rome) and has none."""
    settings, at = read_settings(), clock.now()
    try:
        sentence = _missed(settings, at, alert=alert)
    except (PonteError, DatabaseFailed) as error:
        why = error.sentence if isinstance(error, PonteError) else type(error).__name__
        sentence = _("The night cannot be looked at: {why}").format(why=why)
        if alert:
            _tell_once_a_day(settings, sentence, at)
    if as_json:
        print_json({"missed": sentence is not None, "sentence": sentence})
    else:
        typer.echo(sentence or _("Last night has its certificate."), err=sentence is not None)
    if sentence is not None:
        raise typer.Exit(1)


def _missed(settings: Settings, at: datetime, *, alert: bool) -> str | None:
    ponte = open_ponte(settings)
    if not alert:
        with ponte.store.reading() as tx:
            day = watching.missing(tx, at)
    else:
        with ponte.store.transaction() as tx:
            day = watching.note(tx, at)
        lock_file = settings.folder / "alerts.lock"
        alerting.tell(ponte.store, ponte.alerts, [], at=at, lock_file=lock_file, public_url=settings.public_url)
    if day is None:
        return None
    return _("The night of {day} has no certificate: look at the log of the worker, then: ponte nightly").format(
        day=day.strftime("%d/%m/%Y")
    )


def _tell_once_a_day(settings: Settings, sentence: str, at: datetime) -> None:
    """Without a database nobody remembers what was told: a file in PONTE_HOME does."""
    alerts, said = alerts_of(settings), Path(settings.folder / "watch.told")
    today = at.astimezone(clock.ROME).date().isoformat()
    if alerts is None or (said.is_file() and said.read_text(encoding="ascii") == today):
        return
    try:
        told = alerts.tell("Ponte", sentence)
    except NotificationError as error:
        raise PonteError(str(error)) from error
    if told and settings.folder.is_dir():
        said.write_text(today, encoding="ascii")
