"""What is written as an array literal is what PostgreSQL reads."""

from datetime import date, datetime
from typing import Any

import psycopg
import pytest

from ponte_workflow.store.arrays import columns, literal

AWKWARD = [
    "",
    " ",
    "NULL",
    "null",
    'a"b',
    "a\\b",
    '\\"',
    "{a,b}",
    "a,b",
    "d'accordo",
    "a\nb\tc",
    "è ü 中 👍",
    "%s",
    "$1",
    None,
]


@pytest.mark.parametrize(
    ("kind", "elements"),
    [
        ("text", AWKWARD),
        ("text", ['{"to":["engagement.to_contact"],"why":"\\u001f"}']),
        ("bigint", [1, -1, 0, 2**63 - 1, None]),
        ("date", [date(1, 1, 1), date(2026, 2, 28), date(9999, 12, 31), None]),
        ("bool", [True, False, None]),
        ("text", []),
    ],
)
def test_an_array_arrives_as_it_was(postgresql_url: str, kind: str, elements: list[Any]) -> None:
    with psycopg.connect(postgresql_url.format("postgres").replace("+psycopg", "")) as connection:
        read = connection.execute(f"SELECT u FROM unnest(%s::{kind}[]) AS u", (literal(elements),)).fetchall()
    assert [row[0] for row in read] == elements


def test_rows_become_columns() -> None:
    assert columns([(1, "a", None), (2, "b", True)]) == ("{1,2}", '{"a","b"}', "{NULL,t}")


def test_what_is_no_element_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="datetime"):
        literal([datetime(2026, 1, 1, 12)])  # noqa: DTZ001 - it is refused
