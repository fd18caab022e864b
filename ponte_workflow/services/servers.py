"""Whether the servers that are set answer: mail, certified mail, SMS, single sign-on, Prefect."""

import smtplib
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from ponte_workflow.config import Settings
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.finding import Finding

PATIENCE = 5.0  # seconds: a server that answers no sooner is as good as gone


def findings(settings: Settings) -> list[Finding]:
    """Every server that is set, all asked at once: one that hangs costs its own patience, not everybody's."""
    asked: list[tuple[str, Callable[[], str], str]] = []
    found = []
    if settings.smtp_host is None:
        found.append(Finding("mail", "look", _("no mail server: mails go to a folder"), _("set PONTE_SMTP_HOST")))
    else:
        mend = _("look at PONTE_SMTP_HOST, PORT, TLS and the firewall")
        asked.append(("mail", lambda: _smtp(settings), mend))
    places = {
        "certified mail": (settings.pec_smtp_host, settings.pec_smtp_port, "PONTE_PEC_SMTP_HOST"),
        "certified mailbox": (settings.pec_imap_host, settings.pec_imap_port, "PONTE_PEC_IMAP_HOST"),
        "SMS": (*_place(settings.sms_url), "PONTE_SMS_URL"),
        "single sign-on": (*_place(settings.oidc_issuer), "PONTE_OIDC_ISSUER"),
    }
    for name, (host, port, setting) in places.items():
        if host is not None:
            mend = _("look at {setting} and the firewall").format(setting=setting)
            asked.append((name, lambda host=host, port=port: _connects(host, port), mend))  # type: ignore[misc]
    if settings.prefect_api_url:
        address = f"{settings.prefect_api_url.rstrip('/')}/health"
        mend = _("start it (ponte up), or mend PONTE_PREFECT_API_URL")
        asked.append(("prefect", lambda: _answers(address), mend))
    if not asked:
        return found
    with ThreadPoolExecutor(len(asked)) as pool:
        # Each thread in a context of its own: sentences come in the language of whoever asks.
        tried = [pool.submit(copy_context().run, _tried, name, attempt, mend) for name, attempt, mend in asked]
        return found + [one.result() for one in tried]


def _place(url: str | None) -> tuple[str | None, int]:
    """Host and port of an address; no host when there is none to ask."""
    try:
        place = urlsplit(url or "")
        return place.hostname, place.port or (80 if place.scheme == "http" else 443)
    except ValueError:
        return None, 0  # refused, with a sentence, where it is used


def _connects(host: str, port: int) -> str:
    with socket.create_connection((host, port), PATIENCE):
        return _("{host} answers").format(host=host)


def _tried(name: str, attempt: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(name, "good", attempt())
    except (OSError, smtplib.SMTPException, URLError, ValueError) as error:
        return Finding(name, "bad", f"{type(error).__name__}: {str(error)[:120]}", mend)


def _smtp(settings: Settings) -> str:
    assert settings.smtp_host is not None
    place = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_tls == "tls":
        with socket.create_connection(place, PATIENCE):
            return _("{host} answers").format(host=settings.smtp_host)
    with smtplib.SMTP(*place, timeout=PATIENCE) as server:
        server.noop()
    return _("{host} answers").format(host=settings.smtp_host)


def _answers(address: str) -> str:
    if not address.startswith(("http://", "https://")):
        raise ValueError(_("not an http address"))
    with urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310  # its scheme was just looked at
        return f"{answer.status}"
