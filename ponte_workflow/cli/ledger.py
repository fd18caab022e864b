"""`ponte import` and `ponte detect`: what the landlord's files hold, and what they say about a day."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.cli.context import AsJson, On, euros, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language

if TYPE_CHECKING:
    from ponte_workflow.services.detection import Explanation, TenancyVerdict
    from ponte_workflow.services.importing import ImportReport
    from states.detection import DetectionParameters

SHOWN = 20  # refused lines and warnings of one file on the screen; the rejects file and --json have more


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, or directories with files")], as_json: AsJson = False
) -> None:
    """Import dwellings, households and ledgers; what is refused waits in PONTE_HOME/rejects."""
    from ponte_workflow.services.importing import import_paths

    ponte = open_ponte()
    with _bar(hidden=as_json) as progress:
        report = import_paths(ponte.store, paths, at=clock.now(), rejects=ponte.rejects, progress=progress)
    if as_json:
        print_json(report.as_json())
    else:
        _print_report(report)


class _bar(AbstractContextManager["Callable[[str, int, int], None]"]):  # noqa: N801  # used like a function
    """A progress bar on stderr: stdout carries the answer."""

    def __init__(self, *, hidden: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "Callable[[str, int, int], None]":
        self._progress.start()
        return self._show

    def _show(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done)

    def __exit__(self, *error: object) -> None:
        self._progress.stop()


def _print_report(report: "ImportReport") -> None:
    print_table(
        _("Imported"),
        (_("file"), _("encoding"), _("lines"), _("new"), _("changed"), _("known"), _("refused"), _("booked up to")),
        [
            (f.file, f.encoding, f.read, f.new, f.changed, f.known, f.refused, f.ledger_on or "")
            for f in report.files
        ],
        empty="",
    )  # fmt: skip
    for one in report.files:
        for note in (*one.refusals[:SHOWN], *one.warnings[:SHOWN]):
            typer.echo(_("{file}, line {line}: {text}").format(file=note.file, line=note.line, text=note.text))
        if one.rejects:
            typer.echo(_("To mend and import again: {path}").format(path=one.rejects))
    for path in report.ignored:
        typer.echo(_("Ignored, not a file of the landlord's: {path}").format(path=path))


def detect(
    on: On = None,
    as_json: AsJson = False,
    tenancy: Annotated[
        str | None, typer.Option("--explain", help="Show the figures behind one tenancy's class")
    ] = None,
) -> None:
    """Classify the arrears of every tenancy on a date, or explain one."""
    from ponte_workflow.services import detection

    day, ponte = read_date(on), open_ponte()
    parameters = ponte.detection_parameters()
    with ponte.store.transaction() as tx:
        if tenancy is not None:
            _print_explanation(detection.explain(tx, tenancy, day, parameters), as_json=as_json)
            return
        verdicts = list(detection.classify_all(tx, day, parameters, skip_regular=not as_json))
    if as_json:
        print_json([_as_json(one, parameters[one.quarter_code]) for one in verdicts])
    else:
        _print_verdicts(verdicts)


def _as_json(one: "TenancyVerdict", rule: "DetectionParameters") -> dict[str, Any]:
    from states.detection import verdict

    return {
        "tenancy": one.code,
        "class": one.class_,
        "balance_cents": one.figures.balance_cents,
        "balance_year_ago_cents": one.figures.year_ago_cents,
        "monthly_cents": one.figures.monthly_cents,
        "reasons": [reason.text(language()) for reason in verdict(one.figures, rule).reasons],
    }


def _print_verdicts(verdicts: "list[TenancyVerdict]") -> None:
    from states.detection import CLASSES

    rank = {name: place for place, name in enumerate(CLASSES)}
    rows = sorted(verdicts, key=lambda one: (rank[one.class_], -one.figures.balance_cents))
    columns = (_("tenancy"), _("quarter"), _("class"), _("balance"), _("a year ago"), _("monthly"))
    print_table(
        _("Arrears, regular tenancies left out"),
        columns,
        [(one.code, one.quarter_code, one.class_, *map(euros, one.figures)) for one in rows],
        empty=_("Nobody is in arrears on that day."),
    )


def _print_explanation(found: "Explanation", *, as_json: bool) -> None:
    figures, rule = found.verdict.figures, found.parameters
    reasons = [reason.text(language()) for reason in found.verdict.reasons]
    if as_json:
        print_json(
            {
                "tenancy": found.code,
                "on": found.on.isoformat(),
                "quarter": found.quarter_code,
                "class": found.verdict.class_,
                "balance_cents": figures.balance_cents,
                "balance_year_ago_cents": figures.year_ago_cents,
                "monthly_cents": figures.monthly_cents,
                "accounts": [account._asdict() for account in found.accounts],
                "parameters": rule.model_dump(),
                "reasons": reasons,
            }
        )
        return
    accounts = [(one.item, one.creditor, euros(one.balance_cents), euros(one.year_ago_cents)) for one in found.accounts]
    print_table(
        f"{found.code} ({found.quarter_code}), {found.on}: {found.verdict.class_}",
        (_("item"), _("creditor"), _("balance"), _("on {day}").format(day=found.year_ago_on)),
        [*accounts, (_("total"), "", euros(figures.balance_cents), euros(figures.year_ago_cents))],
        empty="",
    )
    for reason in reasons:
        typer.echo(f"  {reason}")
    typer.echo(_("Thresholds: {values}").format(values=", ".join(f"{k}={v}" for k, v in rule.model_dump().items())))
