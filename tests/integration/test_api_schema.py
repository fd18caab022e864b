"""The OpenAPI document: complete by itself, and true of the application (schemathesis, bounded, with a fixed seed)."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from limits import parse
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ponte_workflow import clock
from ponte_workflow.api import answers, examples
from ponte_workflow.api.app import create_api
from ponte_workflow.services import night as nights
from ponte_workflow.services.integrations import SCOPES
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store.crypto import FieldCipher
from states.fields import YEARS
from tests.integration.programs import BASE, Program, api_of, program
from tests.integration.standing_cases import TODAY, Keeper, sqlite_site, walk
from tests.site import Site

EXAMPLES_EACH = 20
OPERATIONS = (
    *("listCases", "listStalled", "showCase", "listTriggers", "fireTrigger", "undoStep", "showHistory"),
    "listMessages",
    *("listFlags", "setFlag", "liftFlag"),
    *("showWorktray", "listEvents", "showTriggerSchemas", "importLedger", "listNights", "showNight"),
    *("showPip", "endPipAction"),
    *("listPlans", "showPlans", "listNeighbourhoodEvents", "listServices", "listReferrals"),
    *("listTasks", "listAppointments", "listPlacements"),
    *("listContacts", "mendContact", "listNotices", "listCosts"),
)
CALM = {
    "listCases",
    "listStalled",
    "showCase",
    "listTriggers",
    "showHistory",
    "listMessages",
    "showWorktray",
    "listEvents",
    "listNights",
    "listContacts",
    "listNotices",
    "listCosts",
    "listPlans",
    "showPlans",
    "listNeighbourhoodEvents",
    "listServices",
    "listReferrals",
    "listTasks",
    "listAppointments",
    "listPlacements",
}


@pytest.fixture(scope="module")
def world(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, cipher: FieldCipher
) -> Iterator[tuple[Site, Program]]:
    """A site with a few cases and a night, and a program that may do everything that its lead may."""
    with sqlite_site(sqlite_template, tmp_path_factory.mktemp("schema"), cipher) as site:
        with site.ponte.store.transaction() as tx:
            for stage in ("detected", "to_contact", "planning", "active"):
                walk(site.team, tx, stage, "wanda", on=TODAY - timedelta(days=40))
        nights.run_nights(site.ponte.night_plan("plain"), TODAY, at=clock.now)
        api_of(site).state.throttle = Throttle({"api": parse("1000000/minute")})
        yield site, program(site, "lidia")


CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance, content_type_conformance]
BOUNDED = settings(
    max_examples=EXAMPLES_EACH,
    derandomize=True,  # the seed is the test's own name: the same calls each time
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(world: tuple[Site, Program]) -> Any:
    site, _one = world
    return schemathesis.openapi.from_asgi(f"{BASE}/openapi.json", site.app)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_application_does_what_its_document_says(
    world: tuple[Site, Program], schema: Any, operation: str, mode: GenerationMode
) -> None:
    _site, one = world
    sent = {"Authorization": f"Bearer {one.token}", "Accept-Language": "en"}
    told = schema.find_operation_by_id(operation)
    seen = Counter[int]()
    # With codes as they come, and with one that exists: else everything would end at "no such case".
    for known in ({}, {"code": "P-000002"}) if "{code}" in told.path else ({},):

        @given(case=told.as_strategy(generation_mode=mode, path_parameters=known))
        @BOUNDED
        def calls(case: Case[Any]) -> None:
            answer = case.call_and_validate(headers=sent, checks=CHECKS)
            seen[answer.status_code] += 1

        calls()
    assert seen.total() >= EXAMPLES_EACH // 2 and 429 not in seen
    if mode is GenerationMode.NEGATIVE:
        assert set(seen) - {200, 401}, "what breaks the document's rules must be refused, and not for its token alone"
    else:
        assert 401 not in seen
    if mode is GenerationMode.POSITIVE and operation in CALM:
        assert 200 in seen, "the calls that are right by the document must not all be refused"


def fitting(schema: dict[str, Any]) -> SearchStrategy[Any]:
    """Values of a field as the trigger's own JSON schema describes it."""
    if "enum" in schema:
        return strategies.sampled_from(schema["enum"])
    if schema["x-type"] == "staff":
        return strategies.sampled_from(["wanda", "walter", "rita"])
    if schema.get("format") == "date":
        near = strategies.dates(TODAY - timedelta(days=400), TODAY + timedelta(days=400))
        return (near | strategies.dates(date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31))).map(str)
    return {
        "boolean": strategies.booleans(),
        "integer": strategies.integers(schema.get("minimum"), schema.get("maximum")),
        "string": strategies.text(
            strategies.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50
        ),
    }[schema["type"]]


@pytest.mark.parametrize("code", ["P-000001", "P-000002", "P-000003", "P-000004"])
def test_whatever_fits_a_triggers_schema_is_read(world: tuple[Site, Program], code: str) -> None:
    """Fields made by the schema of each trigger that is ready: taken, or refused for what they say, never as unreadable."""
    site, lidia = world
    people = (lidia, *(program(site, username) for username in ("sara", "wanda", "gino", "vera")))
    keeper = Keeper(site)
    seen, offered = Counter[int](), []
    for one in people:
        for told in one.get(f"/cases/{code}/triggers").json().get("triggers", ()):  # a case out of sight has none
            if not (told["yours"] and told["ready"]):
                continue
            properties, required = told["fields"]["properties"], set(told["fields"]["required"])
            wanted = {name: fitting(part) for name, part in properties.items() if name in required}
            perhaps = {name: fitting(part) for name, part in properties.items() if name not in required}
            offered.append((one, f"/cases/{code}/triggers/{told['trigger']}", told["person_id"], wanted, perhaps))

    for one, path, person_id, wanted, perhaps in offered:

        @given(fields=strategies.fixed_dictionaries(wanted, optional=perhaps))
        @settings(BOUNDED, max_examples=6)
        def calls(fields: dict[str, Any]) -> None:
            answer = one.post(path, json={"fields": fields, "person_id": person_id})  # noqa: B023 - called at once
            seen[answer.status_code] += 1
            keeper.put_back()
            assert answer.status_code in (200, 409, 422), (path, answer.status_code, answer.text)  # noqa: B023
            if answer.status_code == 422 and not answer.json()["type"].endswith((":needs-missing", ":bad-input")):
                blank = [value for value in fields.values() if isinstance(value, str) and not value.strip()]
                assert blank and answer.json()["type"].endswith(":invalid-field"), (fields, answer.text)

        calls()
    keeper.close()
    assert seen[200], seen


# --- Completeness -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(world: tuple[Site, Program]) -> dict[str, Any]:
    site, _one = world
    answer = site.visitor().get(f"{BASE}/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_every_operation_is_told_with_an_example_and_every_error(document: dict[str, Any]) -> None:
    missing = []
    for name, one in operations(document):
        wanted = {"200", "401", "403", "422", "429", "500"}
        if "{" in name:
            wanted |= {"404"}
        if name.startswith("POST"):
            wanted |= {"400", "409", "413", "415"}
        missing += [f"{name}: no {status}" for status in sorted(wanted - set(one["responses"]))]
        missing += [
            f"{name}: no {part}" for part in ("operationId", "summary", "description", "tags") if not one.get(part)
        ]
        if one["security"] not in [[{"token": [scope]}] for scope in SCOPES]:
            missing.append(f"{name}: no scope")
        for status, told in one["responses"].items():
            if not told["description"]:
                missing.append(f"{name}: {status} without a word")
            kind = "application/json" if status == "200" else "application/problem+json"
            if list(told["content"]) != [kind] or "example" not in told["content"][kind]:
                missing.append(f"{name}: {status} is not {kind} with an example")
        for parameter in one.get("parameters", ()):
            if parameter["in"] != "path" and not parameter.get("description") and parameter["name"] != "trigger":
                missing.append(f"{name}: parameter {parameter['name']} without a word")
    assert missing == []


def test_every_example_is_what_the_schema_says(document: dict[str, Any]) -> None:
    wrong = []
    for name, one in operations(document):
        for status, told in one["responses"].items():
            for content in told["content"].values():
                errors = resolved(document, content["schema"]).iter_errors(content["example"])
                wrong += [f"{name} {status}: {error.json_path}: {error.message}" for error in errors]
    assert wrong == []


def test_every_operation_and_scope_is_there(document: dict[str, Any]) -> None:
    ids = [one["operationId"] for _name, one in operations(document)]
    assert sorted(ids) == sorted(OPERATIONS)
    used = {scope for _name, one in operations(document) for scope in one["security"][0]["token"]}
    assert used == set(SCOPES)
    assert document["webhooks"]["case-event"]["post"]["requestBody"]
    assert document["servers"] == [{"url": BASE}]


def test_a_route_without_its_errors_would_be_seen(world: tuple[Site, Program]) -> None:
    """The test of the tests: a bare route added to the API is incomplete."""
    site, _one = world
    bare: FastAPI = create_api(site.ponte)
    bare.get("/bare")(lambda: {"bare": True})
    told = dict(operations(bare.openapi()))["GET /bare"]
    assert "401" not in told["responses"] and "security" not in told


def test_examples_are_read_back_by_their_models() -> None:
    assert answers.CaseTold.model_validate(examples.CASE).code == "P-000123"
    assert answers.EventTold.model_validate(examples.EVENT).source == ["engagement.met"]
