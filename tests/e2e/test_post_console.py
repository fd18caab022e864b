"""`ponte letters` and `ponte pec` as people and programs use them, and the flow that reads the mailbox."""

import shutil
from pathlib import Path

import pypdf
import pytest

from flows.read_pec import read_mailbox
from notifications.pec_receipts import Kind
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.config import Settings
from ponte_workflow.store.schema.post import pec_sent
from tests.builders import create_team
from tests.conftest import KEY
from tests.e2e.test_console import Console
from tests.integration.certificates import certificate
from tests.integration.imap_server import PASSWORD, USER, imap_server
from tests.integration.letter_cases import TODAY, WHEN, write_letters
from tests.integration.mail_server import free_port
from tests.pec_mails import TO, receipt

__all__ = ["certificate"]


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """A home with a team in it."""
    shutil.copy(sqlite_template, tmp_path / "ponte.sqlite3")
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(KEY)
    return tmp_path


def test_letters_are_printed_posted_returned_and_a_mark_is_taken_back(home: Path) -> None:
    ponte = open_ponte(Settings.model_validate({"home": home}))
    team = create_team(ponte.store)
    with ponte.store.transaction() as tx:
        codes = [team.open_case(tx, TODAY).code for _n in range(2)]
    first, second = (str(number) for number in write_letters(ponte, codes))
    console = Console(home)
    assert codes[0] in console("letters", "list", "--as", "sara")
    listed = console.json("letters", "list", "--as", "sara")
    assert listed["counts"]["waiting"] == 2 and listed["letters"][0]["case"] == codes[0]

    printed = console.json("letters", "print", "--as", "sara")
    assert printed["batch"] == 1 and printed["letters"] == [int(first), int(second)] and printed["held"] == []
    files = [Path(path) for path in printed["files"]]
    assert [path.parent for path in files] == [home / "letters"] * 3
    assert (home / "letters").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert len(pypdf.PdfReader(files[0]).pages) == 2 and codes[1] in files[1].read_text("utf-8-sig")
    assert "No letter waits" in console("letters", "print", "--as", "sara")

    assert console.json("letters", "posted", first, second, "--as", "sara")["refused"] == []
    assert "1 letter marked." in console("letters", "returned", first, "--why", "moved", "--as", "sara")
    refused = console("letters", "returned", first, "--why", "moved", "--as", "sara", code=1)
    assert f"Letter {first} is marked so already" in refused
    assert "Why did it come back?" in console("letters", "returned", first, "--why", "dog", "--as", "sara", code=1)
    assert "has not come yet" in console("letters", "posted", first, "--day", "2999-01-01", "--as", "sara", code=1)
    console("letters", "undo", first, "--as", "sara")
    assert console.json("letters", "list", "posted", "--as", "sara")["counts"]["posted"] == 2
    assert "This is for" in console("letters", "list", "--as", "wanda", code=1)
    ponte.store.engine.dispose()


def test_the_mailbox_is_read_and_what_waits_is_listed(
    home: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ponte = open_ponte(Settings.model_validate({"home": home}))
    team = create_team(ponte.store)
    with ponte.store.transaction() as tx:
        code = team.open_case(tx, TODAY).code
    number = write_letters(ponte, [code])[0]
    with ponte.store.transaction() as tx:
        tx.connection.execute(
            pec_sent.insert().values(
                outbox_id=number, message_id="m@x", address=tx.cipher.encrypt(TO), raw=tx.cipher.encrypt("x"), at=WHEN
            )
        )
    ponte.store.engine.dispose()
    console = Console(home)
    assert "PONTE_PEC_IMAP_HOST" in console("pec", "read", code=1)
    with imap_server(certificate) as box:
        box.put(receipt(Kind.DELIVERED, about="m@x"), receipt(Kind.ACCEPTED, about="other@x", identifier="i2"))
        console.environment |= {
            "PONTE_PEC_IMAP_HOST": "127.0.0.1",
            "PONTE_PEC_IMAP_PORT": str(box.port),
            "PONTE_PEC_ADDRESS": USER,
            "PONTE_PEC_PASSWORD": PASSWORD,
            "PONTE_PEC_CAFILE": str(certificate),
        }
        found = console.json("pec", "read")
        assert found == {"read": 2, "matched": 1, "for_people": 1, "known": 0, "down": None}
        box.put(receipt(Kind.ACCEPTED, about="m@x", identifier="i3"))
        for name in ("PONTE_HOME", *(name for name in console.environment if name.startswith("PONTE_PEC"))):
            monkeypatch.setenv(name, console.environment[name])
        told = {"read": 1, "matched": 1, "for_people": 0, "known": 0, "down": 0}
        assert read_mailbox.fn(10) == told, "what Prefect is told: counts only"
    assert read_mailbox.fn(10) == {**dict.fromkeys(told, 0), "down": 1}
    monkeypatch.delenv("PONTE_PEC_IMAP_HOST")
    assert read_mailbox.fn(10) == dict.fromkeys(told, 0)
    waiting = console.json("pec", "list", "--as", "lidia")
    assert waiting["counts"] == {"open": 1, "matched": 2, "settled": 0}
    assert waiting["mails"][0]["why"] == "no message of ours has this id"
    assert "did not send" in console("pec", "list", "--as", "lidia")
    assert console.json("pec", "list", "matched", "--as", "lidia")["mails"][0]["case"] == code
    console("pec", "settle", str(waiting["mails"][0]["id"]), "--note", "sent by hand", "--as", "lidia")
    assert console.json("pec", "list", "settled", "--as", "lidia")["mails"][0]["note"] == "sent by hand"
    assert "This is for" in console("pec", "list", "--as", "sara", code=1)
    console.environment["PONTE_PEC_IMAP_PORT"] = str(free_port())
    assert "cannot be read now" in console("pec", "read", code=1)
