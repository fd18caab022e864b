"""Fields read by their type: what is meant is understood, what could mean two things is refused."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.document import FieldSpec, Text, TriggerSpec
from states.fields import Unreadable, read_fields, read_value
from states.snapshot import Value

LABEL = Text(it="Campo", en="Field")
DAY = date(2026, 11, 2)


def field(type_: str, **more: object) -> FieldSpec:
    """A field of that type; choices and privacy where the type needs them."""
    if type_ == "choice":
        more["choices"] = {"door": LABEL, "phone": LABEL}
    if type_ == "text":
        more["privacy"] = "personal"
    return FieldSpec.model_validate({"type": type_, "label": LABEL, **more})


@pytest.mark.parametrize(
    ("type_", "written", "read"),
    [
        pytest.param("text", "Ha perso il lavoro", "Ha perso il lavoro", id="text"),
        pytest.param("choice", "door", "door", id="choice"),
        pytest.param("bool", True, True, id="truth"),
        pytest.param("bool", "Sì", True, id="an accented yes"),
        pytest.param("bool", " no ", False, id="no with blanks"),
        pytest.param("bool", 0, False, id="zero"),
        pytest.param("date", DAY, DAY, id="date"),
        pytest.param("date", "2026-11-02", DAY, id="ISO date"),
        pytest.param("date", " 02/11/2026 ", DAY, id="Italian date"),
        pytest.param("int", "12", 12, id="whole number"),
        pytest.param("money", 1250, 1250, id="an int is cents"),
        pytest.param("money", "1250", 125_000, id="euros"),
        pytest.param("money", "1.200", 120_000, id="a point before three digits is thousands"),
        pytest.param("money", "1.234.567,8", 123_456_780, id="one decimal"),
        pytest.param("money", "1.234,56 €", 123_456, id="Italian amount with its sign"),
        pytest.param("money", "1234.56 EUR", 123_456, id="decimal point"),
        pytest.param("money", "-5", -500, id="negative"),
    ],
)
def test_a_value_is_read_by_its_type(type_: str, written: Value, read: Value) -> None:
    assert read_value(field(type_), written) == read


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        pytest.param("choice", "window", id="no such choice"),
        pytest.param("bool", "maybe", id="neither yes nor no"),
        pytest.param("date", "31/02/2026", id="no such day"),
        pytest.param("date", "11/2026", id="half a date"),
        pytest.param("date", "01/01/0001", id="a year that no calendar of ours has"),
        pytest.param("date", "31/12/2200", id="a year too far away"),
        pytest.param("int", "9" * 5000, id="more digits than a number has"),
        pytest.param("text", "a" * 20_001, id="a text that would have to be cut"),
        pytest.param("int", "100000000001", id="a number beyond use"),
        pytest.param("money", "9" * 5000, id="more digits than money has"),
        pytest.param("money", "-1000000000,01", id="less than all the money"),
        pytest.param("date", datetime(2026, 11, 2), id="a moment"),  # noqa: DTZ001 - refused, zone or not
        pytest.param("int", "12,5", id="not whole"),
        pytest.param("int", True, id="a truth is no number"),
        pytest.param("money", True, id="a truth is no amount"),
        pytest.param("money", "1,200", id="three decimals, or English thousands"),
        pytest.param("money", "1,234.56", id="English thousands"),
        pytest.param("money", "1.23.456", id="points in odd places"),
        pytest.param("money", "1e3", id="exponent"),
        pytest.param("money", "Infinity", id="infinite"),
        pytest.param("money", "1_000", id="underscore"),
        pytest.param("money", "", id="nothing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_both_languages(type_: str, written: Value) -> None:
    with pytest.raises(Unreadable) as refused:
        read_value(field(type_), written)
    assert refused.value.text.it and refused.value.text.en


@pytest.mark.parametrize(
    ("type_", "bounds", "written", "says"),
    [
        pytest.param("int", {"minimum": 1, "maximum": 120}, "0", "at least 1", id="too low"),
        pytest.param("int", {"minimum": 1, "maximum": 120}, "121", "at most 120", id="too high"),
        pytest.param("int", {"maximum": 0}, "1", "at most 0", id="a bound of zero"),
        pytest.param("money", {"minimum": 100}, "0,99", "at least 1.00 EUR", id="bounds of money are said in euros"),
    ],
)
def test_bounds_are_said(type_: str, bounds: dict[str, int], written: str, says: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_value(field(type_, **bounds), written)
    assert refused.value.text.en == says


@pytest.mark.parametrize("written", [None, "", "   "], ids=["nothing", "empty", "blanks"])
def test_a_required_field_left_blank_is_missing(written: Value) -> None:
    spec = TriggerSpec(
        label=LABEL, by=["lead"], fields={"reason": field("text"), "notes": field("text", required=False)}
    )
    values, failures = read_fields(spec, {"reason": written, "notes": written}, frozenset())
    assert values == {} and [(f.name, f.sentence.en) for f in failures] == [("reason", "missing: Field (reason)")]


def test_every_wrong_field_is_named_at_once() -> None:
    spec = TriggerSpec(
        label=LABEL, by=["lead"], fields={"day": field("date"), "times": field("int"), "yes": field("bool")}
    )
    values, failures = read_fields(spec, {"day": "x", "yes": "si", "oddity": 1}, frozenset())
    assert values == {"yes": True}
    assert [failure.name for failure in failures] == ["oddity", "day", "times"]


@pytest.mark.parametrize(
    ("written", "refused"),
    [pytest.param("7", False, id="one of the household"), pytest.param(8, True, id="somebody else's household")],
)
def test_a_person_is_an_adult_of_this_household(written: Value, refused: bool) -> None:
    spec = TriggerSpec(label=LABEL, by=["lead"], fields={"person": field("person")})
    values, failures = read_fields(spec, {"person": written}, frozenset({7}))
    assert (values, bool(failures)) == (({}, True) if refused else ({"person": 7}, False))


@given(st.integers(min_value=-(10**11), max_value=10**11))
def test_an_amount_written_either_way_is_read_back(cents: int) -> None:
    sign, whole, rest = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    thousands = f"{whole:,}".replace(",", ".")
    for written in (f"{sign}{thousands},{rest:02}", f"{sign}{whole},{rest:02}", f"{sign}{whole}.{rest:02}"):
        assert read_value(field("money"), written) == cents


@given(st.text(alphabet="0123456789.,-€ E", max_size=12))
def test_any_scribble_is_an_amount_or_refused(written: str) -> None:
    try:
        assert isinstance(read_value(field("money"), written), int)
    except Unreadable as refused:
        assert refused.text.en
