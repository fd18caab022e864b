"""Detection on imported ledgers gives the classes of the key, for any date, with the figures behind each."""

import csv
from datetime import date
from pathlib import Path

import pytest

from ponte_workflow.errors import BadConfiguration, NotFound
from ponte_workflow.services import detection
from ponte_workflow.store.engine import Store
from states.detection import DetectionParameters
from tests.integration.ledger_files import DATA, bring_in, ledger_line, write_ledger

ON = date(2026, 10, 31)
PARAMETERS = {"sanpolino": DetectionParameters(), "san_polo": DetectionParameters()}
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(DATA, id="the small set"),
        pytest.param(SHARED, id="the neighbourhood", marks=pytest.mark.skipif(not SHARED.is_dir(), reason="not here")),
    ],
)
def test_detection_gives_exactly_the_key(store: Store, tmp_path: Path, folder: Path) -> None:
    bring_in(store, folder, rejects=tmp_path / "rejects")
    with (folder / "classification_key.csv").open(encoding="utf-8", newline="") as stream:
        key = {
            row["COD_UTENTE"]: (
                row["CLASS"], int(row["BALANCE_CENTS"]), int(row["BALANCE_YEAR_AGO_CENTS"]), int(row["MONTHLY_CENTS"]),
            )
            for row in csv.DictReader(stream, delimiter=";")
        }  # fmt: skip
    with store.transaction() as tx:
        every = {v.code: (v.class_, *v.figures) for v in detection.classify_all(tx, ON, PARAMETERS, skip_regular=False)}
        some = {v.code: (v.class_, *v.figures) for v in detection.classify_all(tx, ON, PARAMETERS, skip_regular=True)}
    assert every == key
    assert some == {code: figures for code, figures in key.items() if figures[0] != "regular"}


@pytest.mark.parametrize(
    "on",
    [date(2024, 2, 29), date(2025, 10, 31), date(2026, 6, 9), date(2026, 6, 10), date(2026, 10, 31), date(2031, 1, 1)],
    ids=str,
)  # fmt: skip
def test_the_accounts_of_an_explanation_add_up_to_the_figures_on_any_date(
    store: Store, tmp_path: Path, on: date
) -> None:
    bring_in(store, DATA, rejects=tmp_path / "rejects")
    with store.transaction() as tx:
        for one in detection.classify_all(tx, on, PARAMETERS, skip_regular=False):
            found = detection.explain(tx, one.code, on, PARAMETERS)
            assert (found.verdict.figures, found.verdict.class_) == (one.figures, one.class_)
            assert sum(account.balance_cents for account in found.accounts) == one.figures.balance_cents
            assert detection.class_of(tx, one.tenancy_id, on, PARAMETERS[one.quarter_code]) == one.class_


def test_an_explanation_names_item_and_creditor(store: Store, tmp_path: Path) -> None:
    bring_in(store, DATA, rejects=tmp_path / "rejects")
    with store.transaction() as tx:
        found = detection.explain(tx, "800007", ON, PARAMETERS)
    assert {(one.item, one.creditor) for one in found.accounts} == {
        ("canone", "ALER"),
        ("spese", "AMMINISTRATORE CONDOMINIO"),
    }
    assert found.verdict.class_ == "persistent"
    assert found.year_ago_on == date(2025, 10, 31)


def test_an_unknown_tenancy_and_a_quarter_without_parameters_are_refused(store: Store, tmp_path: Path) -> None:
    bring_in(store, DATA, rejects=tmp_path / "rejects")
    with store.transaction() as tx:
        with pytest.raises(NotFound, match="nobody"):
            detection.explain(tx, "nobody", ON, PARAMETERS)
        with pytest.raises(BadConfiguration, match="san_polo"):
            list(detection.classify_all(tx, ON, {"sanpolino": DetectionParameters()}, skip_regular=True))


def test_ledger_age_names_the_newest_booking_of_each_creditor(store: Store, tmp_path: Path) -> None:
    bring_in(store, DATA / "patrimonio.csv", rejects=tmp_path)
    with store.transaction() as tx:
        assert detection.ledger_age(tx, ON) == {}
    bring_in(store, write_ledger(tmp_path / "a.csv", [ledger_line(charged="1,00")]), rejects=tmp_path / "rejects")
    with store.transaction() as tx:
        assert detection.ledger_age(tx, ON) == {"ALER": date(2026, 5, 1)}
