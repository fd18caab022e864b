"""The routes that a built application has, with their rules, the parameters of their paths and the fields they take."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.datastructures import UploadFile
from starlette.routing import Mount

from ponte_workflow.web.gate import SAFE

# What needs no rule because it is the same for everybody and holds nobody's data.
STATIC = {"/static/{digest}/{name}"}
DESCRIPTION = "/api/v1/openapi.json"  # of the interface, for whoever writes a program
# Where the names in curly brackets lead, but for those that name a case or something of it: each test fills them in.
OF_A_CASE = {"code", "number", "opening_id", "person", "action", "flag_id"}
PATH_VALUES = {
    "trigger": "record_attempt",
    "session_id": "1",
    "username": "walter",
    "name": "sanpolino",
    "pathway": "sanpolino",
    "message": "digest",
    "language": "it",
    "day": "2026-11-02",
    "batch": "1",
    "mail_id": "1",
    "event": "1",
    "building": "1",
    "service": "1",
    "team": "1",
    "handover": "1",
    "token": "t" * 43,
    "part": "1",
}


@dataclass(frozen=True)
class Field:
    """One field of a form. `many`: it may come several times."""

    name: str
    kind: str  # text, number, truth, file
    many: bool


@dataclass(frozen=True)
class Page:
    """One route with one of its methods."""

    method: str
    path: str
    rules: tuple[str, ...]  # of its dependencies: there must be exactly one
    parameters: tuple[str, ...]
    fields: tuple[Field, ...]
    query: tuple[str, ...]  # names of the parameters after the question mark
    free_form: bool  # it reads the form itself, whatever its fields are called
    api: bool

    @property
    def id(self) -> str:
        """How failures name it."""
        return f"{self.method} {self.path}"

    @property
    def rule(self) -> str:
        """Its one rule."""
        assert len(self.rules) == 1, f"{self.id} has {len(self.rules)} rules: give it one of web/visit.py"
        return self.rules[0]

    @property
    def of_a_case(self) -> bool:
        """Whether it is about one case."""
        return not OF_A_CASE.isdisjoint(self.parameters)

    def address(self, **values: str) -> str:
        """Its path with the parameters filled in."""
        known = PATH_VALUES | values
        missing = [name for name in self.parameters if name not in known]
        assert not missing, (
            f"{self.id}: say in tests/integration/route_table.py where {', '.join(missing)} shall lead: PATH_VALUES, or "
            "OF_A_CASE and standing_cases.things_of if it names a case or something that belongs to one"
        )
        return re.sub(r"{(\w+)(?::\w+)?}", lambda found: known[found[1]], self.path)


def pages(app: FastAPI, prefix: str = "", *, api: bool = False) -> Iterator[Page]:
    """Every route of the application and of those mounted in it. An unknown kind of route is refused."""
    for route in iter_route_contexts(app.routes):
        origin = route.original_route
        if prefix + (route.path or "") == DESCRIPTION:
            continue
        if isinstance(origin, APIRoute):
            yield from _pages(route, prefix, api)
        elif isinstance(origin, Mount) and isinstance(origin.app, FastAPI):
            yield from pages(origin.app, prefix + origin.path, api=True)
        else:
            assert route.path in STATIC, f"{prefix}{route.path}: a route that the rights matrix cannot look into"


def _pages(route: RouteContext, prefix: str, api: bool) -> Iterator[Page]:
    everything = list(_flat(route.dependant))
    rules = tuple({one.call: rule for one in everything if (rule := getattr(one.call, "rule", None))}.values())
    fields = tuple(_field(one) for dependant in everything for one in dependant.body_params)
    query = tuple(one.alias for dependant in everything for one in dependant.query_params)
    readers = [one for one in everything[1:] if one.request_param_name and not hasattr(one.call, "rule")]
    for method in sorted(route.methods or ()):
        unsafe = method not in SAFE
        yield Page(
            method,
            f"{prefix}{route.path}",
            rules,
            tuple(re.findall(r"{(\w+)(?::\w+)?}", route.path or "")),
            fields if unsafe else (),
            query,
            unsafe and any(inspect.iscoroutinefunction(one.call) for one in readers),
            api,
        )


def _flat(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _flat(one)


def _field(one: Any) -> Field:
    annotation = str(one.field_info.annotation)
    if UploadFile.__name__ in annotation:
        kind = "file"
    elif re.search(r"\bbool\b", annotation):
        kind = "truth"
    elif re.search(r"\bint\b", annotation):
        kind = "number"
    else:
        kind = "text"
    return Field(one.alias, kind, "list[" in annotation)
