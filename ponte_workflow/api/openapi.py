"""The OpenAPI document: every answer with an example, every error as a problem, the scope of each operation, the webhook."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from ponte_workflow.api import examples
from ponte_workflow.api.asked import ContactCall, OutcomeCall, TriggerCall
from ponte_workflow.api.problems import MEDIA_TYPE, URN, FailureTold, Problem
from ponte_workflow.services.integrations import SCOPES

VERSION = "1.0.0"
BASE = "/api/v1"
DESCRIPTION = """Cases of early rent arrears, for programs: the same use cases, rights and refusals as Ponte's pages and console.

Every call shows a token (`Authorization: Bearer ponte_…`); it has scopes, an end, and the rights of a member of staff, never more.
Refusals are problem documents (RFC 9457). Lists come in pages: `next`, also in the `Link` header, leads on.
Every POST wants an `Idempotency-Key`: the same call sent again within 24 hours gets the same answer and does nothing twice.
Dates are ISO, amounts integer cents (`…_cents`). `Accept-Language: it` or `en` chooses the language of sentences."""
TAGS = [
    {"name": "cases", "description": "Cases, what may be done with them, and doing it"},
    {"name": "work", "description": "What is somebody's to do"},
    {"name": "ledger", "description": "The landlord's files"},
    {"name": "nights", "description": "What the nights did"},
    {"name": "events", "description": "What happened, for programs that follow"},
    {"name": "schemas", "description": "What triggers ask for"},
]
Responses = dict[int | str, dict[str, Any]]
_ETAG = {"description": 'The case\'s version, for If-Match: "7"', "schema": {"type": "string"}}
_LINK = {"description": '<…>; rel="next", when there is a next page', "schema": {"type": "string"}}
_REPLAYED = {"description": "true: the answer of the first call with this key", "schema": {"type": "string"}}
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new one for each deed, the same one to repeat it",
    "schema": {"type": "string", "pattern": "^[!-~]{1,120}$", "minLength": 1, "maxLength": 120},
    "example": "3f1f6a6e-6f0e-4c1c-9a53-6a0f6e1d5b1e",
}
VERSION_PARAMETER = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "Refuse with 412 if the case has another version by now",
    "schema": {"type": "string", "pattern": '^("?[0-9]{1,15}"?|\\*)$'},
    "example": '"7"',
}
CASE_CALL = {
    "parameters": [KEY_PARAMETER, VERSION_PARAMETER],
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{TriggerCall.__name__}"}}},
    },
}

CONTACT_CALL = {
    "parameters": [KEY_PARAMETER],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ContactCall.__name__}"}}},
    },
}


def answers(
    example: dict[str, Any], *errors: int, etag: bool = False, page: bool = False, unsafe: bool = False
) -> Responses:
    """What an operation may answer: 200 with the example, 500, and these errors."""
    headers = {"ETag": _ETAG} if etag else {}
    headers |= {"Link": _LINK} if page else {}
    headers |= {"Idempotent-Replayed": _REPLAYED} if unsafe else {}
    found: Responses = {
        200: {"description": "Done" if unsafe else "Found", "content": {"application/json": {"example": example}}}
    }
    if headers:
        found[200]["headers"] = headers
    if unsafe:
        errors = (400, *errors, 409, 413, 415)
    return found | {status: _problem(status) for status in sorted({401, 403, 422, 429, *errors, 500})}


def _problem(status: int) -> dict[str, Any]:
    meaning, name, detail, failures = examples.ERRORS[status]
    example = {
        "type": URN + name,
        "title": meaning.partition(";")[0],
        "status": status,
        "detail": detail,
        "instance": f"{BASE}/cases/P-000123",
        "failures": failures,
    }
    if status == 500:
        example["reference"] = "9f3b1c20"
    told: dict[str, Any] = {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
    header = {401: "WWW-Authenticate", 429: "Retry-After"}.get(status)
    if header:
        told["headers"] = {header: {"schema": {"type": "string"}}}
    return told


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Ponte",
            version=VERSION,
            description=DESCRIPTION,
            routes=app.routes,
            webhooks=app.webhooks.routes,
            tags=TAGS,
            servers=[{"url": BASE}],
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for model in (Problem, FailureTold, TriggerCall, OutcomeCall, ContactCall):
            plain = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= plain.pop("$defs", {})
            schemas[model.__name__] = plain
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for route in iter_route_contexts(app.routes):
            origin, scope = route.original_route, _scope(route)
            if isinstance(origin, APIRoute) and scope is not None:
                for operation in made["paths"][route.path].values():
                    operation["security"] = [{"token": [scope]}]
                    operation["description"] = f"{operation['description']}\n\nScope: `{scope}`"
                    # FastAPI leaves nulls out of examples, and they are part of an answer.
                    operation["responses"]["200"]["content"] |= {
                        kind: operation["responses"]["200"]["content"][kind] | content
                        for kind, content in origin.responses[200]["content"].items()
                    }
        made["components"]["securitySchemes"]["token"]["x-scopes"] = list(SCOPES)
        app.openapi_schema = made
    return app.openapi_schema


def _scope(route: RouteContext) -> str | None:
    rules = (one.call for one in route.dependant.dependencies) if isinstance(route.original_route, APIRoute) else ()
    return next((scope for rule in rules if (scope := getattr(rule, "scope", None)) is not None), None)
