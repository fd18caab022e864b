"""Encodings, headers, quotes, dates and amounts of the landlord's files."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponte_workflow.errors import BadInput
from ponte_workflow.services.importing.formats import COLUMNS, Amounts, Dates, Refused
from ponte_workflow.services.importing.readers import lines_of, look_at

HEADER = ";".join(COLUMNS["dwellings"])
LATEST = date(2031, 12, 31)


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("written", "cents"),
    [("1.234,56", 123456), ("-50,00", -5000), ("1234,5", 123450), ("12", 1200), ("0,05", 5), ("1.234", 123400)],
)
def test_italian_amounts_are_read(written: str, cents: int) -> None:
    assert Amounts()[written] == cents


@pytest.mark.parametrize(
    "written",
    ["1.2.3,4x", "1234.56", "1,234.56", "1,234", "12,", ",5", "--1", "+1", "1 000", "", "١٢", "1.23,45", "NaN"],
)
def test_what_is_no_italian_amount_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        Amounts()[written]


@pytest.mark.parametrize(
    "written", ["31/02/2026", "29/02/2025", "1/2/2026", "2026-02-01", "01/13/2026", "10/05/2206", ""]
)
def test_impossible_dates_are_refused(written: str) -> None:
    with pytest.raises(Refused):
        Dates(LATEST)[written]


@given(st.dates(date(1900, 1, 1), LATEST))
def test_every_date_written_the_italian_way_is_read(day: date) -> None:
    assert Dates(LATEST)[day.strftime("%d/%m/") + f"{day.year:04d}"] == day.isoformat()


@given(st.integers(-(10**9), 10**9))
def test_every_amount_written_the_italian_way_is_read(cents: int) -> None:
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole:,}".replace(",", ".") + f",{rest:02d}"
    assert Amounts()["-" * (cents < 0) + text] == cents


@pytest.mark.parametrize(
    ("encoding", "found"), [("cp1252", "cp1252"), ("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig")]
)
@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, found: str, ending: str) -> None:
    source = look_at(a_file(tmp_path, (HEADER + ending + "è;b" + ending).encode(encoding)))
    assert (source.encoding, source.kind) == (found, "dwellings")
    assert [fields for _number, fields, _text in lines_of(source)] == [["è", "b"]]


def test_a_letter_across_two_blocks_is_still_utf_8(tmp_path: Path) -> None:
    start = (HEADER + "\n").encode()
    content = start + b"a" * ((1 << 20) - len(start) - 1) + "è".encode() + b"\n"
    assert look_at(a_file(tmp_path, content)).encoding == "utf-8-sig"


def test_quotes_hold_separators_quotes_and_line_breaks(tmp_path: Path) -> None:
    source = look_at(a_file(tmp_path, f'{HEADER}\n"a;b";"c ""d""";e\nf;"g\nh";i\nj;k;l\n'.encode()))
    assert [(number, fields) for number, fields, _text in lines_of(source)] == [
        (2, ["a;b", 'c "d"', "e"]),
        (3, ["f", "g\nh", "i"]),
        (5, ["j", "k", "l"]),
    ]


def test_a_quote_that_never_closes_costs_one_line(tmp_path: Path) -> None:
    rows = [f"{n};x" for n in range(50)]
    source = look_at(a_file(tmp_path, "\n".join([HEADER, 'a;"b', *rows, ""]).encode()))
    read = list(lines_of(source))
    assert read[0][:2] == (2, None)
    assert [";".join(fields or ()) for _number, fields, _text in read[1:]] == rows


def test_the_rejects_columns_are_accepted(tmp_path: Path) -> None:
    assert look_at(a_file(tmp_path, f"{HEADER};MOTIVO;RIGA\n".encode())).width == len(COLUMNS["dwellings"]) + 2


@pytest.mark.parametrize("content", [b"", b"a;b;c\n1;2;3\n", b"\xff\xfeI\0D\0"], ids=["empty", "unknown", "UTF-16"])
def test_an_unknown_header_is_refused_with_the_expected_columns(tmp_path: Path, content: bytes) -> None:
    path = a_file(tmp_path, content)
    with pytest.raises(BadInput) as refusal:
        look_at(path)
    assert str(path) in refusal.value.sentence
    assert HEADER in refusal.value.sentence
