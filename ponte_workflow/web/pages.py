"""How a page is made: templates in the language of the request, figures in Italian form, a word after each deed."""

import base64
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from notifications.formats import filters
from ponte_workflow.clock import ROME
from ponte_workflow.i18n import gettext, language, ngettext
from ponte_workflow.services.contacts import kind_name
from ponte_workflow.services.message_words import fate_name, message_name, why_words
from ponte_workflow.services.permissions import role_name
from ponte_workflow.services.vulnerability_words import language_name
from ponte_workflow.web.assets import assets
from ponte_workflow.web.visit import Visit

FLASH = "ponte-said"
_LONGEST_FLASH = 600


@cache
def environment() -> Environment:
    """Templates with everything escaped and nothing undefined."""
    made = Environment(
        loader=PackageLoader("ponte_workflow.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Callables that read a context variable: installed translations would be one language for all requests.
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"role_name": role_name, "in_language": lambda text: text.in_(language())}
    made.filters |= {
        "message_name": message_name,
        "why_words": why_words,
        "kind_name": kind_name,
        "fate_name": fate_name,
        "language_name": language_name,
    }
    made.globals |= {
        "menu": menu,
        "asset": lambda name: assets()[name].url,
        "role_name": role_name,
        "language": language,
    }
    made.filters |= {name: _in_language(name) for name in ("short_day", "euro", "hour")}
    made.filters |= {"day": day, "moment": moment, "long_day": _in_language("day"), "number": number}
    return made


def menu() -> tuple[tuple[str, str, str], ...]:
    """(address, label, permission) of the main menu."""
    return (
        ("/", gettext("My work"), "casework"),
        ("/cases", gettext("Cases"), "casework"),
        ("/events", gettext("Neighbourhood"), "casework"),
        ("/services", gettext("Network"), "casework"),
        ("/supervision", gettext("Supervision"), "supervision"),
        ("/letters", gettext("Post"), "letters"),
        ("/nights", gettext("Nights"), "night.read"),
        ("/administration", gettext("Administration"), "administration"),
    )


def page(
    visit: Visit | None, name: str, /, *, status: int = 200, request: Request | None = None, **values: Any
) -> Response:
    """A whole page. `visit` None: nobody is signed in, then `request` is given."""
    asked = visit.request if visit is not None else request
    assert asked is not None
    said = _read_flash(asked)
    text = environment().get_template(name).render(visit=visit, request=asked, said=said, **values)
    response = HTMLResponse(text, status_code=status)
    if said:
        response.delete_cookie(FLASH, path="/", secure=True, httponly=True, samesite="strict")
    return response


def part(visit: Visit, name: str, **values: Any) -> Response:
    """A part of a page, for htmx."""
    return HTMLResponse(environment().get_template(name).render(visit=visit, request=visit.request, **values))


def go(where: str, *, said: str | None = None, error: bool = False) -> Response:
    """See other (303), with a word about what was done. `where` is always one of our own paths."""
    assert is_local(where), "redirects stay in the house"
    response = RedirectResponse(where, status_code=303)
    if said:
        text = base64.urlsafe_b64encode(f"{'!' if error else '.'}{said[:_LONGEST_FLASH]}".encode()).decode()
        response.set_cookie(FLASH, text, max_age=60, path="/", secure=True, httponly=True, samesite="strict")
    return response


def is_local(where: str) -> bool:
    """Whether an address is a path of ours: one slash, then neither a second one nor a backslash, no control signs."""
    return where.startswith("/") and not where.startswith(("//", "/\\")) and where.isprintable() and "\\" not in where


def _read_flash(request: Request) -> tuple[str, str] | None:
    """(success or danger, text) of the word left by the request before."""
    raw = request.cookies.get(FLASH)
    if not raw:
        return None
    try:
        text = base64.urlsafe_b64decode(raw.encode()).decode()
    except ValueError:
        return None  # not one of ours
    return ("danger" if text[:1] == "!" else "success", text[1:])


def day(value: date | None) -> str:
    """23/11/2026; a dash for none."""
    return "—" if value is None else value.strftime("%d/%m/%Y")


def moment(value: datetime | None) -> str:
    """23/11/2026 09:30 in Rome."""
    return "—" if value is None else value.astimezone(ROME).strftime("%d/%m/%Y %H:%M")


def number(value: int) -> str:
    """1.234 in Italian form, 1,234 in English."""
    return f"{value:,}".replace(",", "." if language() == "it" else ",")


def _in_language(name: str) -> Callable[..., str]:
    def write(value: Any) -> str:
        return "—" if value is None else _filters(language())[name](value)

    return write


_filters = cache(filters)
