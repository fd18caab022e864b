"""Tokens of the API: shown once, ended, with the rights of a person within their scopes, counted."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from ponte_workflow import clock
from ponte_workflow.errors import BadInput, NotAllowed
from ponte_workflow.services import integrations
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store.schema.accounts import api_token
from ponte_workflow.store.schema.network import staff
from tests.integration.programs import administrator, api_of, caller, problem, program, standing
from tests.integration.standing_cases import TODAY
from tests.site import Site


def test_a_token_is_shown_once_and_only_its_hash_is_kept(site: Site) -> None:
    one = program(site, "wanda")
    with site.ponte.store.transaction() as tx:
        row = tx.connection.execute(select(api_token)).mappings().one()
    assert one.token.startswith("ponte_") and len(one.token) > 45
    assert one.token not in str(dict(row)) and len(row["token_hash"]) == 64


@pytest.mark.parametrize("token", [None, "ponte_wrong", "", "x" * 5000], ids=["none", "unknown", "empty", "long"])
def test_who_shows_no_valid_token_is_asked_for_one(site: Site, token: str | None) -> None:
    answer = caller(site, token).get("/api/v1/cases")
    assert problem(answer)[:2] == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="ponte"')


def test_a_revoked_an_expired_and_an_idle_persons_token_are_worth_nothing(site: Site) -> None:
    one = program(site, "wanda", until=TODAY + timedelta(days=3))
    assert one.get("/cases").status_code == 200
    late = clock.now() + timedelta(days=4)
    with clock.told_by(lambda: late):
        assert one.get("/cases").status_code == 401
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "wanda").values(active=False))
    assert one.get("/cases").status_code == 401
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "wanda").values(active=True))
        integrations.revoke_token(tx, administrator(site, tx), one.name)
    assert one.get("/cases").status_code == 401


def test_only_administrators_make_tokens_and_only_reasonable_ones(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        ada = administrator(site, tx)
        sara = Occasion(actor_of(tx, "sara", TODAY), TODAY, ada.at, ada.pathways)
        fit = {"name": "landlord", "username": "wanda", "scopes": ["cases:read"], "expires_on": TODAY + timedelta(9)}
        with pytest.raises(NotAllowed):
            integrations.create_token(tx, sara, **fit)  # type: ignore[arg-type]
        wrong: list[dict[str, object]] = [
            {"expires_on": TODAY},
            {"expires_on": TODAY + timedelta(days=366)},
            {"scopes": []},
            {"scopes": ["everything"]},
            {"name": "with a blank"},
        ]
        for change in wrong:
            with pytest.raises(BadInput):
                integrations.create_token(tx, ada, **fit | change)  # type: ignore[arg-type]
        integrations.create_token(tx, ada, **fit)  # type: ignore[arg-type]
        with pytest.raises(BadInput):
            integrations.create_token(tx, ada, **fit)  # type: ignore[arg-type]
        assert [row.name for row in integrations.tokens(tx, ada)] == ["landlord"]


def test_a_token_does_only_what_its_scopes_say(site: Site) -> None:
    code = standing(site)
    calls = {
        "cases:read": [
            "/cases",
            f"/cases/{code}",
            f"/cases/{code}/triggers",
            f"/cases/{code}/history",
            f"/cases/{code}/messages",
            "/stalled",
        ],
        "worktray:read": ["/worktray"],
        "events:read": ["/events"],
    }
    for scope, mine in calls.items():
        one = program(site, "wanda", [scope])
        for path in [path for paths in calls.values() for path in paths]:
            answer = one.get(path)
            if path in mine:
                assert answer.status_code == 200, path
            else:
                assert problem(answer)[:2] == (403, "scope-missing"), path
                assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert problem(one.post(f"/cases/{code}/undo"))[0] == 403


def test_a_token_never_has_more_rights_than_whom_it_acts_for(site: Site) -> None:
    code = standing(site)
    assert problem(program(site, "ada").get("/cases"))[:2] == (403, "not-allowed"), "an administrator sees no household"
    rita = program(site, "rita")
    assert rita.get("/cases").json()["items"] == []
    assert problem(rita.post("/ledger-imports", headers={"content-type": "text/csv"}, content=b"x"))[0] == 403
    hidden, nothing = rita.get(f"/cases/{code}"), rita.get("/cases/P-999999")
    assert problem(hidden)[:2] == problem(nothing)[:2] == (404, "no-such-case")
    assert hidden.json()["detail"].replace(code, "P-999999") == nothing.json()["detail"], (
        "whether it exists is not told"
    )


def test_last_used_is_written_once_a_minute(site: Site) -> None:
    one = program(site, "wanda")

    def used() -> datetime | None:
        with site.ponte.store.transaction() as tx:
            found: datetime | None = tx.connection.execute(select(api_token.c.last_used_at)).scalar_one()
            return found

    start = datetime(clock.today().year, 6, 1, 9, tzinfo=UTC)
    for seconds, expected in ((0, 0), (30, 0), (61, 61)):
        moment = start + timedelta(seconds=seconds)
        with clock.told_by(lambda moment=moment: moment):  # type: ignore[misc]
            assert one.get("/cases").status_code == 200
        assert used() == start + timedelta(seconds=expected)


def test_too_many_calls_are_put_off(site: Site) -> None:
    one, other = program(site, "wanda"), program(site, "sara")
    with site.ponte.store.transaction() as tx:
        number = tx.connection.execute(select(api_token.c.id).where(api_token.c.name == one.name)).scalar_one()
    throttle = api_of(site).state.throttle
    while throttle.lets_in("api", str(number)):
        pass
    answer = one.get("/cases")
    assert problem(answer)[:2] == (429, "rate-limited") and 1 <= int(answer.headers["retry-after"]) <= 60
    assert other.get("/cases").status_code == 200
