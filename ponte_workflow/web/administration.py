"""The front page of administration, and the settings."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.settings_told import settings_told
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration")


@router.get("")
def front(visit: Annotated[Visit, Depends(needs("administration"))]) -> Response:
    """Where to go, as far as the visitor may."""
    return page(visit, "administration/front.html", places=[one for one in _places() if visit.may(one[3])])


@router.get("/settings")
def settings(visit: Annotated[Visit, Depends(needs("settings.read"))]) -> Response:
    """Every setting: read-only here."""
    return page(visit, "administration/settings.html", rows=settings_told(visit.ponte.settings, visit.who))


def _places() -> tuple[tuple[str, str, str, str, str], ...]:
    """(address, name, what one does there, permission, sign)."""
    return (
        (
            "/administration/users",
            _("Users"),
            _("Who works with Ponte: roles, passwords, second factor"),
            "people.read",
            "it-user",
        ),
        (
            "/administration/partners",
            _("Organisations"),
            _("The partners, and the quarters in which each works"),
            "people.read",
            "it-pa",
        ),
        (
            "/administration/teams",
            _("Teams"),
            _("Who works with whom inside an organisation, and who is told first"),
            "people.read",
            "it-user",
        ),
        (
            "/administration/absences",
            _("Absences"),
            _("Who is away, until when, and who covers"),
            "people.read",
            "it-calendar",
        ),
        (
            "/administration/imports",
            _("Imports"),
            _("The landlord's files: upload, look, import, mend"),
            "import",
            "it-upload",
        ),
        (
            "/administration/receipts",
            _("pagoPA receipts"),
            _("Receipts of pagoPA from a file; those without a notice"),
            "import",
            "it-card",
        ),
        (
            "/administration/pathways",
            _("Pathways"),
            _("States, clocks and rules; the quarters compared"),
            "pathways.read",
            "it-chart-line",
        ),
        (
            "/administration/messages",
            _("Messages"),
            _("What households and staff are written, in every language"),
            "messages.read",
            "it-mail",
        ),
        (
            "/administration/settings",
            _("Settings"),
            _("How this Ponte is set up"),
            "settings.read",
            "it-settings",
        ),
        (
            "/administration/audit",
            _("Audit"),
            _("Who looked at what; whether the histories are unbroken"),
            "audit",
            "it-locked",
        ),
    )
