"""What makes a password: long enough, not what others try first, the same however it was typed."""

import pytest

from ponte_workflow.errors import BadInput
from ponte_workflow.services import accounts, passwords


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("corto", id="five characters"),
        pytest.param("undici sole", id="eleven characters"),
        pytest.param("x" * 64 + "abcd " * 13, id="129 characters"),
        pytest.param("passwordpassword", id="a common one, twice"),
        pytest.param("Password2026!!", id="a common one with figures and signs"),
        pytest.param("P4ssw0rd!!!!!", id="a common one with figures for letters"),
        pytest.param("2026!password2026", id="a common one between figures"),
        pytest.param("U n   p o n t e sul blu", id="the programme's name with blanks"),
        pytest.param("abababababab", id="two letters"),
        pytest.param("gattogattogatto", id="one word again and again"),
        pytest.param("123456789012345", id="figures alone"),
        pytest.param("io sono wanda qui", id="with the username"),
    ],
)
def test_a_password_that_others_try_first_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        passwords.check_rules(password, "wanda")


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("nove gatti sul tetto", id="words in a row"),
        pytest.param("dodici sole!", id="twelve characters"),
        pytest.param("così è perché è più", id="with accents"),
        pytest.param("猫が九匹屋根の上にいます", id="in another writing"),
        pytest.param("adagio adagio piano", id="a short username may be part of a word"),
        pytest.param("nove gatti " * 10 + "nel buio", id="128 characters and less"),
    ],
)
def test_a_long_password_is_taken_whatever_it_is_made_of(password: str) -> None:
    passwords.check_rules(password, "ada")


def test_a_random_password_obeys_the_rules_and_is_never_the_same() -> None:
    made = {accounts.random_password() for _n in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check_rules(password, "wanda")


def test_the_same_letters_are_the_same_password_however_a_keyboard_composes_them() -> None:
    kept = passwords.hash_password("perche\u0301 no, perche\u0301 no")
    assert passwords.verify(kept, "perch\u00e9 no, perch\u00e9 no")
    assert kept.startswith("$argon2id$")


def test_nothing_may_follow_a_password_however_long_it_is() -> None:
    longest = "nove gatti sul tetto " * 6 + "si"
    assert len(longest) == passwords.LONGEST
    kept = passwords.hash_password(longest)
    assert passwords.verify(kept, longest)
    assert not passwords.verify(kept, longest + "x")
