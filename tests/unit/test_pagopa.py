"""pagoPA notice numbers: the rules, by examples and by properties."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.payment_slip import PaymentSlip, qr_text
from states.pagopa import Body, OwnIssuer, Wanted, is_notice, iuv_of, notice_number, read_bodies

bases = st.integers(0, 10**13 - 1)
codes = st.integers(0, 99).map(lambda n: f"{n:02d}")


@given(codes, bases)
def test_a_number_has_its_parts_and_the_right_check_digits(code: str, base: int) -> None:
    number = notice_number(code, base)
    assert len(number) == 18 and number[:3] == f"3{code}" and int(number[3:16]) == base
    assert int(number[:16]) % 93 == int(number[16:]) and is_notice(number)
    assert iuv_of(number) == number[-17:]


@given(codes, bases, st.integers(0, 17), st.integers(1, 9))
def test_a_wrong_digit_is_noticed(code: str, base: int, place: int, more: int) -> None:
    number = notice_number(code, base)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    # A digit moved by 93's multiples cannot be: no digit is worth a multiple of 93 in powers of ten.
    assert not is_notice(wrong)


@given(codes, bases, st.integers(1, 10**7))
def test_the_slip_of_a_letter_takes_every_number_that_is_made(code: str, base: int, cents: int) -> None:
    number = notice_number(code, base)
    slip = PaymentSlip(number, qr_text(number, "12345678901", cents), cents, date(2026, 12, 1), "ALER", "12345678901")
    assert slip.qr_text == f"PAGOPA|002|{number}|12345678901|{cents}"


def test_the_number_of_a_known_example() -> None:
    assert notice_number("47", 1) == "347000000000000124"


@pytest.mark.parametrize(("code", "base"), [("4", 1), ("4a", 1), ("٤٧", 1), ("47", -1), ("47", 10**13)])
def test_a_number_that_cannot_be_is_refused(code: str, base: int) -> None:
    with pytest.raises(ValueError, match=r"segregation code|base has"):
        notice_number(code, base)


def test_bodies_are_read_from_the_setting() -> None:
    assert read_bodies(" ALER=00000000001/47; Condominio Sole=00000000002/48 ;") == (
        Body("ALER", "00000000001", "47"),
        Body("Condominio Sole", "00000000002", "48"),
    )
    assert read_bodies("") == ()


@pytest.mark.parametrize("text", ["ALER", "ALER=123/47", "=00000000001/47", "ALER=00000000001", "ALER=00000000001/4"])
def test_a_setting_that_cannot_be_read_names_the_part(text: str) -> None:
    with pytest.raises(ValueError, match="11 digits/2 digits"):
        read_bodies(text)


def test_two_creditors_with_the_same_codes_would_collide() -> None:
    with pytest.raises(ValueError, match="collide"):
        read_bodies("ALER=00000000001/47; Other=00000000001/47")


@given(bases, bases)
def test_our_issuer_gives_each_part_its_own_number_and_the_same_again(one: int, other: int) -> None:
    issuer = OwnIssuer((Body("ALER", "00000000001", "47"),))
    first, second = issuer.issue(Wanted(one, "ALER", 1)), issuer.issue(Wanted(other, "ALER", 1))
    assert (first == second) == (one == other) and issuer.issue(Wanted(one, "ALER", 1)) == first
    assert issuer.issue(Wanted(one, "Somebody else", 1)) is None
