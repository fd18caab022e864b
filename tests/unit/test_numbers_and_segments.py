"""Telephone numbers as they are typed, and what a text takes as an SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.numbers import NotANumber, e164, takes_sms
from notifications.segments import measure


@pytest.mark.parametrize(
    ("typed", "number", "sms"),
    [
        pytest.param("340 1234567", "+393401234567", True, id="an Italian mobile"),
        pytest.param("340/123.45-67", "+393401234567", True, id="however it is laid out"),
        pytest.param("+39 340 123456", "+39340123456", True, id="an old mobile with nine figures"),
        pytest.param("0039 3401234567", "+393401234567", True, id="with two noughts"),
        pytest.param("030 2978911", "+390302978911", False, id="a landline"),
        pytest.param("+39 030 2978911", "+390302978911", False, id="a landline with its prefix"),
        pytest.param("+40 712 345 678", "+40712345678", True, id="abroad"),
    ],
)
def test_numbers_take_one_form(typed: str, number: str, sms: bool) -> None:
    assert e164(typed) == number and takes_sms(number) is sms
    assert e164(number) == number


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "34O1234567",
        "123",
        "340",
        "+39",
        "800 12",
        "+39 1234567",
        "++39340123456",
        "٣٤٠١٢٣٤٥٦٧",
        "9" * 40,
        "340\u20281234567x",
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(NotANumber):
        e164(typed)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_number_or_refused(typed: str) -> None:
    try:
        number = e164(typed)
    except NotANumber:
        return
    assert number.startswith("+") and number[1:].isascii() and number[1:].isdecimal()


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        pytest.param("a" * 160, "GSM-7", 1, id="160 signs"),
        pytest.param("a" * 161, "GSM-7", 2, id="161 signs"),
        pytest.param("a" * 306, "GSM-7", 2, id="two full parts"),
        pytest.param("a" * 307, "GSM-7", 3, id="one more"),
        pytest.param("€" * 80, "GSM-7", 1, id="the euro takes two places"),
        pytest.param("€" * 81, "GSM-7", 2, id="and does not fit"),
        pytest.param("a" * 152 + "€" + "a" * 152, "GSM-7", 3, id="an escape is not torn apart"),
        pytest.param("perché è così, l’àncora", "GSM-7", 1, id="Italian accents and a typographic apostrophe"),
        pytest.param("ș" * 70, "UCS-2", 1, id="Romanian"),
        pytest.param("ș" * 71, "UCS-2", 2, id="71 of them"),
        pytest.param("م" * 134, "UCS-2", 2, id="Arabic, two full parts"),
        pytest.param("😀" * 35, "UCS-2", 1, id="emoji take two units"),
        pytest.param("😀" * 36, "UCS-2", 2, id="and one more"),
        pytest.param("", "GSM-7", 1, id="nothing is paid for as well"),
    ],
)
def test_segments(text: str, encoding: str, segments: int) -> None:
    found = measure(text)
    assert (found.encoding, found.segments) == (encoding, segments)


@given(st.text(max_size=400))
def test_a_longer_text_never_takes_fewer_segments(text: str) -> None:
    for cut in range(0, len(text), 40):
        if measure(text[:cut]).encoding == measure(text).encoding:
            assert measure(text[:cut]).segments <= measure(text).segments
