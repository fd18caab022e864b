"""`ponte pathway ...`: the pathway as a table, as a picture, and checked."""

from pathlib import Path
from typing import Annotated

import typer

from ponte_workflow.bootstrap import read_settings
from ponte_workflow.cli.context import AsJson, print_json, print_table
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.pathways import Pathways
from states.errors import PathwayError
from states.loader import load

app = typer.Typer(help="Pathways: show, draw, validate", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a pathway")]
BASE = "un_ponte_sul_blu"


@app.command()
def show(name: Name = BASE, as_json: AsJson = False) -> None:
    """The pathway as a table: states, whom they wait on, clocks, ways on."""
    from states import documentation  # drawn by nobody who only validates

    rows = documentation.table(Pathways(read_settings().pathways).current(name), language())
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    columns = (_("state"), _("on screen"), _("waits on"), _("clocks"), _("ways on"))
    for chart in dict.fromkeys(row.chart for row in rows):
        print_table(
            chart,
            columns,
            [(r.path, r.label, r.waits_on, r.clocks, r.ways) for r in rows if r.chart == chart],
            empty="",
        )


@app.command()
def diagram(
    name: Name = BASE,
    form: Annotated[str, typer.Option("--format", help="svg or mermaid")] = "svg",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else stdout")] = None,
) -> None:
    """The pathway as a picture."""
    if form not in ("svg", "mermaid"):
        raise BadInput(_("The format must be svg or mermaid, not {form}").format(form=form))
    from states import documentation

    pathway = Pathways(read_settings().pathways).current(name)
    text = (documentation.svg if form == "svg" else documentation.mermaid)(pathway, language())
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, encoding="utf-8")


@app.command()
def validate(file: Annotated[Path, typer.Argument(help="A pathway file")], as_json: AsJson = False) -> None:
    """Check a pathway file: every finding names file, line and mend."""
    folder = read_settings().pathways
    try:
        pathway = load(file, () if folder is None else (folder,))
    except PathwayError as error:
        if as_json:
            print_json([{"file": f.file, "line": f.line, "what": f.what, "mend": f.mend} for f in error.findings])
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        print_json([])
    else:
        typer.echo(
            _("{name} version {version} is sound ({hash})").format(
                name=pathway.name, version=pathway.version, hash=pathway.content_hash[:12]
            )
        )
