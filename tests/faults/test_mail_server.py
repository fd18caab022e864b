"""The mail server hangs, refuses or drops what it took: ordinary mails are tried again, legal ones never leave twice."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ponte_workflow.store.engine import Store
from tests.faults.mail import SHORT, Holding, closed, environment, serving, silent, statuses, with_mail, words
from tests.faults.processes import PATIENCE, Build, House, kill
from tests.integration.mail_server import Post

Server = Callable[[], AbstractContextManager[int]]


@pytest.fixture
def town(store: Store, database_url: str, tmp_path: Path, house: Build) -> House:
    return house(store, database_url, tmp_path)


def deliver(town: House, port: int, minutes: float, **settings: str) -> dict[str, int]:
    """One round of `ponte deliver`; what it counted. It says on stderr when the server is down."""
    process = town.start(*words(minutes), **environment(port, **settings))
    out, err = process.communicate(timeout=PATIENCE)
    report = json.loads(out)
    assert process.returncode == int(bool(report["channels_down"])), err
    assert ("mail server does not answer" in err) == bool(report["channels_down"]) and "Traceback" not in err
    return {name: report[name] for name in ("sent", "later", "held", "failed", "waiting")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "after", "at_last", "hangs"),
    [
        pytest.param(closed, ["queued", "queued"], ["sent", "sent"], False, id="nobody listens"),
        pytest.param(silent, ["queued", "queued"], ["sent", "sent"], True, id="takes the connection and says nothing"),
        pytest.param(
            lambda: serving(Post(recipient="450 4.2.1 not now")),
            ["queued", "queued"],
            ["sent", "sent"],
            False,
            id="450 at RCPT",
        ),
        pytest.param(
            lambda: serving(Post(recipient="421 going down")),
            ["queued", "queued"],
            ["sent", "sent"],
            False,
            id="421 at RCPT",
        ),
        pytest.param(
            lambda: serving(Post(data="452 4.3.1 no room")),
            ["queued", "queued"],
            ["sent", "sent"],
            False,
            id="452 after DATA",
        ),
        pytest.param(
            lambda: serving(Post(hang_up=True)),
            ["queued", "held"],
            ["sent", "held"],
            False,
            id="drops the connection after DATA",
        ),
        pytest.param(lambda: serving(Holding()), ["queued", "held"], ["sent", "held"], True, id="hangs after DATA"),
    ],
)
def test_what_did_not_leave_is_tried_again_and_what_may_have_left_is_not_when_it_is_legal(
    town: House, server: Server, after: list[str], at_last: list[str], hangs: bool
) -> None:
    numbers = with_mail(town)
    hurried = SHORT if hangs else {}
    with server() as port:
        deliver(town, port, 0, **hurried)
        assert statuses(town, numbers) == after
        again = deliver(town, port, 1, **hurried)
        assert (again["sent"], again["later"], again["held"]) == (0, 0, 0), "not before its time"
    good = Post()
    with serving(good) as port:
        deliver(town, port, 20)
        assert statuses(town, numbers) == at_last
        assert len(good.mails) == at_last.count("sent")
        assert deliver(town, port, 24 * 60)["sent"] == 0
    assert len(good.mails) == at_last.count("sent")
    town.audited()


def test_a_refused_address_is_a_matter_for_people_or_another_way(town: House) -> None:
    numbers = with_mail(town)
    with serving(Post(recipient="550 5.1.1 no such user")) as port:
        deliver(town, port, 0)
        assert statuses(town, numbers) == ["queued", "queued"], "a letter is left to each"
        deliver(town, port, 20)
    assert statuses(town, numbers) == ["sent", "sent"]
    assert town.look("SELECT count(*) FROM evidence WHERE way = 'letter'") == 2
    town.audited()


@pytest.mark.parametrize("legal", [False, True], ids=["ordinary", "legal"])
def test_a_delivery_killed_while_the_server_holds_the_message(town: House, legal: bool) -> None:
    numbers = with_mail(town)
    mine = numbers[int(legal)]
    with town.store.transaction() as tx:
        other = numbers[int(not legal)]
        tx.connection.exec_driver_sql(f"UPDATE outbox SET status = 'withdrawn' WHERE id = {other}")
    post = Holding()
    with serving(post) as port:
        process = town.start(*words(), **environment(port))
        assert post.held.wait(60)
        kill(process)
        assert statuses(town, [mine]) == ["claimed"]
        post.released.set()  # the server goes on: it has the whole message, and nobody to answer to
        assert deliver(town, port, 5)["sent"] == 0, "the first one might still be alive"
        assert statuses(town, [mine]) == ["claimed"]
        deliver(town, port, 20)
        assert statuses(town, [mine]) == ["held" if legal else "sent"]
        deliver(town, port, 24 * 60)
    assert len(post.mails) == (1 if legal else 2), "a reminder may be repeated, a legal notice never"
    names = {
        line for mail in post.mails for line in mail.decode().splitlines() if line.lower().startswith("message-id")
    }
    assert len(names) == 1, "a repeat is known by its name"
    town.audited()
