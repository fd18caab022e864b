"""`ponte up`: the whole of Ponte on one machine: database, Prefect's server with the schedules, the web application."""

import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from urllib.error import URLError

import typer

from flows import environment
from flows.supervising import GaveUp, Service, Supervisor
from ponte_workflow.bootstrap import Ponte, open_ponte, open_store, read_settings
from ponte_workflow.cli.context import print_table
from ponte_workflow.config import Settings
from ponte_workflow.demo import accounts as demo_accounts
from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.accounts import any_password
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import make_key_file


class PortBusy(PonteError):
    """Somebody else listens there."""


class CannotStart(PonteError):
    """One of the services does not come up, or does not stay up."""


def up() -> None:
    """Migrate, start everything, print the addresses; Ctrl-C stops it all."""
    settings = read_settings()
    _ports_are_free(settings)
    make_key_file(settings.key_path)
    migrate.upgrade(open_store(settings).engine)
    ponte = open_ponte(settings)
    environment.prepare(settings)
    supervisor = Supervisor(settings.folder / "logs", lambda sentence: typer.echo(sentence, err=True))
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, supervisor.stop)
    try:
        if all(_start(supervisor, service) for service in _services(settings)):
            _tell(ponte)
            supervisor.watch()
    except GaveUp as error:
        raise CannotStart(
            _("{name} does not stay alive; the end of its log ({folder}):\n{log}").format(
                name=error.service, folder=settings.folder / "logs", log=error.log
            )
        ) from None
    finally:
        supervisor.end()
    typer.echo(_("Everything is stopped."))


def _start(supervisor: Supervisor, service: Service) -> bool:
    typer.echo(_("{name} starts…").format(name=service.name), err=True)
    return supervisor.start(service)


def _services(settings: Settings) -> list[Service]:
    """In the order in which they need each other."""
    api = settings.prefect_api_url or f"http://127.0.0.1:{settings.prefect_port}/api"
    known = {"PREFECT_API_URL": api, "PONTE_PREFECT_API_URL": api}
    web = f"http://{_local(settings.web_host)}:{settings.web_port}/health/live"
    pages = Service("web", [sys.executable, "-m", "flows.console", "web"], {}, _answers(web))
    worker = Service(
        "worker",
        [sys.executable, "-m", "flows.console", "worker"],
        known,
        lambda: True,
        before=None if settings.prefect_api_url else [sys.executable, "-m", "flows.tidying"],
    )
    if settings.prefect_api_url:
        return [pages, worker]  # a Prefect server elsewhere
    port = str(settings.prefect_port)
    words = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    server = Service(
        "prefect",
        [*words, "--host", "127.0.0.1", "--port", port, "--log-level", "warning", "--no-access-log"],
        {"PREFECT_SERVER_API_PORT": port, "PREFECT_API_URL": "", "PREFECT_UI_API_URL": api},
        _answers(f"{api}/health"),
    )
    return [pages, server, worker]


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http, our own address
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    return ready


def _ports_are_free(settings: Settings) -> None:
    """Refuse before anything is started."""
    wanted = [("PONTE_WEB_PORT", settings.web_host, settings.web_port)]
    if not settings.prefect_api_url:
        wanted.append(("PONTE_PREFECT_PORT", "127.0.0.1", settings.prefect_port))
    for name, host, port in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given back is free
            try:
                probe.bind((host, port))
            except OSError as error:
                raise PortBusy(
                    _("Port {port} on {host} cannot be had ({why}). Stop what listens there, or set {name}").format(
                        port=port, host=host, why=error.strerror or error, name=name
                    )
                ) from error


def _local(host: str) -> str:
    """Where we reach ourselves when we listen everywhere."""
    plain = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{plain}]" if ":" in plain and not plain.startswith("[") else plain


def _tell(ponte: Ponte) -> None:
    settings = ponte.settings
    typer.echo(_("Ponte:   http://{host}:{port}").format(host=_local(settings.web_host), port=settings.web_port))
    if not settings.prefect_api_url:
        typer.echo(_("Prefect: http://127.0.0.1:{port}").format(port=settings.prefect_port))
    typer.echo(_("Data and logs lie in {folder}. Ctrl-C stops everything.").format(folder=settings.folder))
    if (settings.folder / "demo.json").is_file():
        with ponte.store.transaction() as tx:
            logins = demo_accounts.first_logins(tx)
        if logins:
            print_table(
                _("One login for each role, printed this once"),
                (_("role"), _("username"), _("password")),
                logins,
                empty="",
            )
        else:
            typer.echo(
                _("The logins were printed at the first start; a new password: ponte user password USERNAME --random")
            )
        return
    with ponte.store.reading() as tx:
        known = any_password(tx)
    if not known:
        typer.echo(_("Nobody can sign in yet. Type in another window: ponte user password USERNAME"))
