"""Hostile texts in every field of every step of the pathway: kept as the text that they are, or refused; never run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import instalments
from ponte_workflow.store import local_services, network
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases as case_table
from ponte_workflow.store.schema.casework import fact, history, journey
from ponte_workflow.web.gate import COOKIE
from states.document import FieldSpec
from states.loader import load_all
from states.machine import ancestors
from tests.integration.hostile import Look, counts, differences, encoded, shown, values_for
from tests.integration.standing_cases import adult_of
from tests.site import HOST, Site

TODAY = clock.today()
PATHWAY = load_all()["sanpolino"]
# Who takes a step: the first of these roles that may.
STAFF_FOR = {"supervisor": "sara", "case_worker": "wanda", "job_agency": "gino", "volunteers": "vera"}
# What must be known of the case before a step is offered.
KNOWN: dict[str, dict[str, object]] = {
    "refuse_referral": {"referral_open": True},
    "revoke_referral": {"referral_open": True},
    "answer_alongside": {"alongside_open": True},
    "end_appointment": {"appointment_made": True},
    "refuse_excuse": {"excuse_proposed": True},
    "refuse_write_off": {"write_off_proposed": True},
}
# The others are taken as they stand in a list, or refused.
WRITTEN = ("text", "date", "int", "money")
# What may get more rows when a step is taken: the case's own story, what leaves because of it, and who looked.
OF_A_STEP = {
    "appointment",
    "pip_signature",
    "pip_version",
    "placement",
    "placement_check",
    "access",
    "clock",
    "consent",
    "contact_attempt",
    "fact",
    "history",
    "history_detail",
    "instalment",
    "journey",
    "invitation",
    "outbox",
    "participation",
    "payment_plan",
    "referral",
    "special_note",
    "stay",
    "task",
}


@dataclass(frozen=True)
class Step:
    """A trigger, from one place where it can be fired, by somebody who may."""

    trigger: str
    of_person: bool
    configuration: tuple[str, ...]  # of the household
    state: str  # of the person
    username: str
    fields: dict[str, FieldSpec]


def steps() -> Iterator[Step]:
    """Every trigger that a human may fire and that asks for something, once for each chart."""
    standing = {
        path: here for here in PATHWAY.household.machine.reachable() for leaf in here for path in ancestors(leaf)
    }
    seen = set()
    for chart, path, trigger, spec in PATHWAY.all_triggers():
        role = next((role for role in STAFF_FOR if role in spec.by), None)
        if role is None or not spec.fields or (chart, trigger) in seen:
            continue
        seen.add((chart, trigger))
        of_person = chart == "person"
        yield Step(
            trigger,
            of_person,
            standing["planning"] if of_person else standing[path],
            path,
            STAFF_FOR[role],
            dict(spec.fields),
        )


def place(site: Site, tx: Transaction, step: Step) -> tuple[CaseRow, int]:
    """A case that stands where the step can be taken; and its adult."""
    row = site.team.open_case(tx, TODAY)
    wanda = network.member_by_username(tx, "wanda")
    tx.connection.execute(
        update(case_table)
        .where(case_table.c.id == row.id)
        .values(
            configuration=" ".join(step.configuration),
            closed_on=TODAY if PATHWAY.household.is_closed(step.configuration) else None,
            assigned_to=wanda.id,
            partner_id=wanda.partner_id,
        )
    )
    adult = adult_of(tx, row)
    if step.of_person:
        tx.connection.execute(
            insert(journey).values(case_id=row.id, person_id=adult, configuration=step.state, started_on=TODAY)
        )
    entry = tx.connection.execute(select(history.c.id).where(history.c.case_id == row.id)).scalars().one()
    for name, value in KNOWN.get(step.trigger, {}).items():
        values = {"case_id": row.id, "name": name, "value": json.dumps(value), "on": TODAY, "history_id": entry}
        tx.connection.execute(insert(fact).values(**values))
    if step.trigger == "excuse":
        instalments.sign_plan(
            tx, row.id, total_cents=10_000, instalments=2, first_due_on=TODAY, on=TODAY, history_id=entry
        )
    if step.trigger == "answer_alongside":
        days = {"on": TODAY, "due_on": TODAY}
        local_services.propose(
            tx, case_id=row.id, service_id=None, kind="alongside", by=wanda.id, history_id=entry, **days
        )
    return row, adult


def valid(field: FieldSpec, adult: int) -> str:
    """A value that the field takes."""
    if field.type == "int" and not field.required:
        return ""  # the number of something that is not there
    if field.type == "choice":
        return next(iter(field.choices))
    ready = {"date": TODAY.isoformat(), "bool": "yes", "money": "100,00", "staff": "wanda", "person": str(adult)}
    ready |= {"vat_number": "00743110157", "member": str(adult)}
    return ready.get(field.type) or (str(field.minimum or 1) if field.type == "int" else "x")


@pytest.mark.slow
def test_every_field_of_every_step(site: Site) -> None:
    store = site.ponte.store
    tokens = {name: site.signed_in(name).cookies[COOKIE] for name in STAFF_FOR.values()}
    wrong: list[str] = []
    kept: set[tuple[str, str]] = set()
    asked: set[tuple[str, str]] = set()
    with site.visitor() as browser:
        for step in steps():
            here: tuple[CaseRow, int] | None = None
            for name, field in step.fields.items():
                asked |= {(step.trigger, name)} if field.type == "text" else set()
                for label, value in values_for(store).items():
                    if field.type not in WRITTEN and label not in ("script", "nul", "digits"):
                        continue
                    if here is None:
                        with store.transaction() as tx:
                            here = place(site, tx, step)
                    row, adult = here
                    before = counts(store)
                    form: dict[str, Any] = {one: valid(spec, adult) for one, spec in step.fields.items()}
                    if "referral" in form:
                        with store.transaction() as tx:
                            form["referral"] = str(local_services.referrals_of(tx, row.id)[0].id)
                    address = f"/cases/{row.code}/do/{step.trigger}?person={adult if step.of_person else 0}"
                    status, html = _ask(browser, tokens[step.username], address, form | {name: value})
                    changed = differences(before, counts(store))
                    complaints = Look(html).foul + [f"status {status}"] * (status >= 500)
                    if status == 303:
                        here = None
                        complaints += [f"changed {changed}"] if set(changed) - OF_A_STEP else []
                        page = Look(_ask(browser, tokens["sara"], f"/cases/{row.code}", None)[1])
                        complaints += page.foul
                        if field.type == "text" and len(value) < 1000:
                            kept.add((step.trigger, name))
                            complaints += [] if shown(value) in page.words else ["not shown as it was typed"]
                    else:
                        complaints += [f"refused, and yet {changed}"] if set(changed) - {"access"} else []
                    wrong += [f"{step.trigger}, {name}={label}: {one}" for one in complaints]
    assert not wrong, "\n".join(wrong)
    assert kept == asked, f"never kept, so never looked at: {asked - kept}"


def _ask(browser: TestClient, token: str, address: str, form: dict[str, Any] | None) -> tuple[int, str]:
    headers = {"cookie": f"{COOKIE}={token}", "origin": HOST, "accept-language": "en"}
    if form is None:
        answer = browser.get(address, headers=headers)
    else:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = browser.post(address, content=encoded(form), headers=headers | kind)
    browser.cookies.clear()
    return answer.status_code, answer.text
