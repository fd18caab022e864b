"""Accounts in the settings: what cannot be an IBAN is refused with its creditor and what is wrong."""

import pytest

from ponte_workflow.errors import BadConfiguration
from ponte_workflow.i18n import use_language
from ponte_workflow.services.ibans import read_ibans

GOOD = "IT60X0542811101000000123456"  # the example of the Italian banks' association


def with_right_check_digits(bban: str) -> str:
    """An Italian IBAN over that BBAN whose check digits (ISO 13616) are right."""
    digits = "".join(str(int(sign, 36)) for sign in f"{bban}IT00")
    return f"IT{98 - int(digits) % 97:02d}{bban}"


def test_a_good_iban_is_shown_in_groups() -> None:
    assert read_ibans(f"ALER={GOOD}; AMMINISTRATORE = {GOOD.lower()};") == {
        "ALER": "IT60 X054 2811 1010 0000 0123 456",
        "AMMINISTRATORE": "IT60 X054 2811 1010 0000 0123 456",
    }
    assert read_ibans("") == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"ALER={with_right_check_digits('Y' + GOOD[5:])}", "the CIN of the IBAN of ALER is wrong"),
        (f"ALER={GOOD.replace('IT60', 'IT61')}", "the check digits of the IBAN of ALER are wrong"),
        (f"ALER={GOOD[:-1]}", "the IBAN of ALER cannot be one"),
        (f"ALER {GOOD}", "is not CREDITOR=IBAN"),
        ("ALER=", "is not CREDITOR=IBAN"),
    ],
)
def test_an_iban_that_cannot_be_says_what_is_wrong(text: str, sentence: str) -> None:
    use_language("en")
    with pytest.raises(BadConfiguration, match=sentence):
        read_ibans(text)


def test_the_right_letter_is_the_one_that_banks_give() -> None:
    assert with_right_check_digits(GOOD[4:]) == GOOD
