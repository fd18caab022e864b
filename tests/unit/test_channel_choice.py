"""Which way a message takes to a person: every reason against a way, and the order of those that are left."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.choice import ALL, USUAL_ORDER, Asked, Choice, Way, choose
from notifications.messages.instalment_due.model import InstalmentDue
from notifications.messages.plan_signed.model import PlanSigned

EVERY = frozenset(USUAL_ORDER)
ANY = Asked(EVERY)
LEGAL = Asked(PlanSigned.fits, legal=True)
MAIL, SMS, PEC, LETTER = (Way(channel, f"{channel} address") for channel in USUAL_ORDER)
PREFERRED = Way("email", "x", preferred=True)


def chosen(choice: Choice) -> list[str]:
    return [way.channel for way in choice.order]


def decide(*ways: Way, asked: Asked = ANY, offered: frozenset[str] = EVERY, **more: object) -> Choice:
    return choose(ways, asked, offered=offered, **{"closed": {}, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ways", "asked", "more", "order"),
    [
        pytest.param((MAIL, SMS, PEC, LETTER), ANY, {}, ["email", "sms", "pec", "letter"], id="the usual order"),
        pytest.param((LETTER, SMS), ANY, {}, ["sms", "letter"], id="whatever order they come in"),
        pytest.param((MAIL, Way("sms", "x", preferred=True)), ANY, {}, ["sms", "email"], id="a wish comes first"),
        pytest.param((MAIL, Way("sms", "x", agreed=True)), ANY, {}, ["sms", "email"], id="a yes goes before silence"),
        pytest.param((PREFERRED, Way("sms", "x", agreed=True)), ANY, {}, ["email", "sms"], id="a wish goes before a yes"),
        pytest.param((Way("email", "x", agreed=False), SMS), ANY, {}, ["sms"], id="a no is a no"),
        pytest.param((Way("email", "x", preferred=True, agreed=False), SMS), ANY, {}, ["sms"], id="also against an old wish"),
        pytest.param((Way("email", "x", wrong=True), SMS), ANY, {}, ["sms"], id="not where nothing arrives"),
        pytest.param((MAIL, SMS), ANY, {"failed": {"email"}}, ["sms"], id="not again where this one came back"),
        pytest.param((MAIL, SMS), ANY, {"closed": {"sms": "violence"}}, ["email"], id="not by a closed way"),
        pytest.param((MAIL, SMS), ANY, {"closed": {ALL: "a minor"}}, [], id="not at all to whom nobody writes"),
        pytest.param((MAIL, SMS), ANY, {"offered": frozenset({"email"})}, ["email"], id="only what is set up"),
        pytest.param((SMS, LETTER), Asked(PlanSigned.fits), {}, ["letter"], id="a calendar is no SMS"),
        pytest.param((MAIL, SMS, PEC, LETTER), LEGAL, {}, ["pec", "email", "letter"], id="legal weight: its own order"),
        pytest.param((MAIL, Way("sms", "x", preferred=True), PEC), LEGAL, {}, ["pec", "email"], id="legal weight: never by SMS"),
        pytest.param((PREFERRED, PEC), LEGAL, {}, ["email", "pec"], id="legal weight: a wish among its ways"),
        pytest.param((Way("email", "x", agreed=True), PEC), LEGAL, {}, ["pec", "email"], id="legal weight: a yes changes nothing"),
        pytest.param((MAIL, PEC, LETTER), Asked(EVERY, True, ("letter",)), {}, ["letter"], id="legal weight: as configured"),
        pytest.param((Way("sms", "030 1", unusable="a landline gets no SMS"),), ANY, {}, [], id="a landline"),
        pytest.param((), ANY, {}, [], id="nothing is known"),
    ],
)  # fmt: skip
def test_the_ways_in_their_order(
    ways: tuple[Way, ...], asked: Asked, more: dict[str, object], order: list[str]
) -> None:
    found = decide(*ways, asked=asked, **more)
    assert chosen(found) == order
    assert set(found.left_out) == EVERY - set(order), "every other way is left out, and for a reason in words"
    assert all(found.left_out.values())
    assert (found.first.channel if found.first else None) == (order[0] if order else None)


def test_what_protects_a_person_is_said_before_what_is_merely_missing() -> None:
    found = decide(Way("sms", None, agreed=False), closed={"email": "violence"}, offered=frozenset())
    assert found.left_out["email"] == "violence" and found.left_out["sms"] == "the person does not want it"
    assert found.left_out["pec"] == "not set up here"
    assert found.why_none == (
        "email: violence; sms: the person does not want it; pec: not set up here; letter: not set up here"
    )


def test_an_instalment_may_be_told_by_sms_and_a_plan_may_not() -> None:
    assert "sms" in InstalmentDue.fits and "sms" not in PlanSigned.fits


ways = st.builds(
    Way,
    st.sampled_from(USUAL_ORDER),
    st.sampled_from([None, "x"]),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.sampled_from([None, "why"]),
)


@given(
    st.lists(ways, unique_by=lambda way: way.channel),
    st.sets(st.sampled_from(USUAL_ORDER)),
    st.sets(st.sampled_from([*USUAL_ORDER, ALL])),
    st.sets(st.sampled_from(USUAL_ORDER)),
    st.booleans(),
)
def test_no_message_ever_goes_where_it_must_not(
    known: list[Way], offered: set[str], closed: set[str], failed: set[str], legal: bool
) -> None:
    asked = Asked(PlanSigned.fits if legal else EVERY, legal)
    found = choose(known, asked, offered=offered, closed=dict.fromkeys(closed, "closed"), failed=failed)
    for way in found.order:
        assert way.channel in offered and way.channel not in failed and not closed & {way.channel, ALL}
        assert way.address and not way.wrong and way.agreed is not False and way.unusable is None
        assert not (legal and way.channel == "sms")
    assert [way.channel for way in found.order if way.preferred] == chosen(found)[
        : sum(w.preferred for w in found.order)
    ]
    assert set(chosen(found)).isdisjoint(found.left_out) and set(chosen(found)) | set(found.left_out) == EVERY


def test_the_order_in_which_contacts_are_read_changes_nothing() -> None:
    known = (Way("email", "x", agreed=True), Way("sms", "x", preferred=True), PEC, LETTER)
    assert len({tuple(chosen(decide(*some))) for some in itertools.permutations(known)}) == 1
