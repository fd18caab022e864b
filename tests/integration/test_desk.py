"""People who work here: tasks, appointments with reminders to both sides, the calendar feed."""

from datetime import date
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.services import agenda, auditing, digest_words, tasks, undoing
from ponte_workflow.services.night import reminding
from ponte_workflow.store import appointments, cases, history, network, todos
from ponte_workflow.store.schema.agenda import todo
from ponte_workflow.store.schema.casework import task
from ponte_workflow.store.schema.messages import outbox
from tests.builders import MONDAY
from tests.integration.desk import APPOINTMENT, DAY, TODAY, night, referred, staff_id, told
from tests.integration.standing_cases import walk
from tests.site import Site


def test_tasks_of_the_pathway_are_on_the_list_of_whoever_has_the_case_and_of_nobody_else(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = referred(site, tx)
        mine = tasks.mine(tx, site.team.occasion(tx, "wanda", TODAY)).lines
        assert [(one.code, one.source, one.by_hand) for one in mine] == [(row.code, "pathway", False)]
        assert "/do/accept_referral" in mine[0].answers[0][0]
        assert tasks.mine(tx, site.team.occasion(tx, "walter", TODAY)).lines == ()
        site.team.do(tx, "sara", row.code, "refuse_referral", TODAY, reason="full")
        kinds = [one.what for one in tasks.mine(tx, site.team.occasion(tx, "wanda", TODAY)).lines]
        assert len(kinds) == 1 and kinds != [mine[0].what], "answered: the task it leaves behind is another one"


def test_a_task_of_the_pathway_is_not_done_by_hand_but_by_its_step(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        referred(site, tx)
        who = site.team.occasion(tx, "wanda", TODAY)
        key = tasks.mine(tx, who).lines[0].key
        with pytest.raises(NotAllowed, match="closed by what it asks for"):
            tasks.done(tx, who, key)


def test_a_task_that_no_step_closes_is_done_by_hand_in_the_history_and_undo_opens_it_again(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = referred(site, tx)
        tx.connection.execute(update(task).where(task.c.case_id == row.id).values(kind="bring_the_keys"))
        who = site.team.occasion(tx, "wanda", TODAY)
        line = tasks.mine(tx, who).lines[0]
        assert line.by_hand
        tasks.done(tx, who, line.key)
        assert tasks.mine(tx, who).lines == ()
        assert history.of_case(tx, row.id)[-1].data["task"] == "bring_the_keys"
        undoing.undo(tx, who, row.code)
        assert [one.key for one in tasks.mine(tx, who).lines] == [line.key]
        assert auditing.verify(tx, site.ponte.pathways).sound


def test_own_tasks_are_noted_put_off_done_and_opened_again_in_the_browser(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        code = walk(site.team, tx, "met", "wanda").code
    wanda = site.signed_in("wanda")
    page = wanda.post(
        "/tasks", data={"what": "Call the school", "due_on": TODAY.isoformat(), "code": code}, follow_redirects=True
    ).text
    assert "Call the school" in page and code in page
    assert "Call the school" in wanda.get(f"/cases/{code}").text
    assert "Call the school" not in site.signed_in("walter").get("/tasks").text
    later = (TODAY + DAY).isoformat()
    assert (
        "Call the school"
        not in wanda.post("/tasks/snooze", data={"key": "todo/1", "until": later}, follow_redirects=True).text
    )
    assert "Call the school" in wanda.get("/tasks?section=snoozed").text
    wanda.post("/tasks/snooze", data={"key": "todo/1", "back": "true"}, follow_redirects=True)
    assert "Call the school" not in wanda.post("/tasks/done", data={"key": "todo/1"}, follow_redirects=True).text
    assert "Call the school" in wanda.get("/tasks?done=true").text
    assert (
        "Call the school"
        in wanda.post("/tasks/done", data={"key": "todo/1", "again": "true"}, follow_redirects=True).text
    )
    with site.ponte.store.transaction() as tx:
        assert "school" not in tx.connection.execute(select(todo.c.text)).scalar_one(), "kept encrypted"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"what": "x"}, "2 to 500 characters"),
        ({"due_on": (TODAY - DAY).isoformat()}, "from today on"),
        ({"due_on": "soon"}, "Choose a day"),
        ({"code": "P-999999"}, "P-999999"),
    ],
)
def test_a_task_that_cannot_be_noted_says_why_and_keeps_what_was_typed(
    site: Site, fields: dict[str, str], sentence: str
) -> None:
    answer = site.signed_in("wanda").post("/tasks", data={"what": "Bring forms", "due_on": TODAY.isoformat()} | fields)
    assert answer.status_code == 422 and sentence in answer.text
    assert fields.get("what", "Bring forms") in answer.text


def test_a_supervisor_sets_tasks_for_their_own_people_alone(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        sara = site.team.occasion(tx, "sara", TODAY)
        tasks.add(tx, sara, "Read the guide", TODAY, username="wanda")
        (line,) = tasks.mine(tx, site.team.occasion(tx, "wanda", TODAY)).lines
        assert line.set_by == "Sara"
        for username, who in (("rita", sara), ("walter", site.team.occasion(tx, "wanda", TODAY))):
            with pytest.raises(NotAllowed):
                tasks.add(tx, who, "Read the guide", TODAY, username=username)
        with pytest.raises(NotFound):
            tasks.done(tx, site.team.occasion(tx, "walter", TODAY), line.key)


def test_the_night_reminds_of_a_due_task_once_and_tells_the_supervisor_when_nobody_answers(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = referred(site, tx, MONDAY)
        due = todos.open_for(tx, cases.where_id(row.id), {"case_worker"}, {staff_id(tx, "wanda")}, 0)[0].due_on
        wanda, sara = staff_id(tx, "wanda"), staff_id(tx, "sara")
    assert due is not None
    for day in range((due - MONDAY).days):
        night(site, MONDAY + day * DAY)
    with site.ponte.store.transaction() as tx:
        assert told(tx, "task/") == []
    for day in range(20):
        night(site, due + day * DAY)
    with site.ponte.store.transaction() as tx:
        assert told(tx, "task/") == [(f"staff:{wanda}", "remind")]
        assert told(tx, "task_late/") == [(f"staff:{sara}", "escalate")]
        pathway = site.ponte.pathways.pinned(tx, row.pathway_version_id)
        rule = tx.connection.execute(select(outbox.c.rule).where(outbox.c.rule.startswith("task/"))).scalar_one()
        words = digest_words.what_to_do(tx, pathway, rule)
        assert words is not None and "accepts the referral" in words.en


def test_the_morning_mail_names_each_due_task_and_own_tasks_without_their_text(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = referred(site, tx, MONDAY)
        who = site.team.occasion(tx, "wanda", MONDAY)
        tasks.add(tx, who, "Secret errand", MONDAY, code=row.code)
        tasks.add(tx, who, "Other errand", MONDAY)
        tx.connection.execute(update(task).where(task.c.case_id == row.id).values(due_on=MONDAY))
    night(site, MONDAY)
    with site.ponte.store.transaction() as tx:
        mails = tx.connection.execute(select(outbox.c.id).where(outbox.c.rule == "digest")).scalars().all()
        data = [
            digest_words.digest(
                tx,
                site.ponte.pathways,
                _claimed(mail, MONDAY),
                network.member_by_username(tx, "wanda"),
                MONDAY,
                7,
            )
            for mail in mails
        ]
    rows = [row for one in data for row in one["today"]]
    said = [row["what_to_do"] for row in rows]
    assert any("accetta l'invio" in one for one in said)
    assert said.count("Un compito che ci si è dati è in scadenza") == 2
    assert "errand" not in str(data)


def _claimed(outbox_id: int, on: date) -> Any:
    class Row:
        id = outbox_id
        data = {"on": on.isoformat()}  # noqa: RUF012

    return Row()


# Appointments


def test_an_appointment_reminds_both_sides_and_is_written_down_when_it_was_held(site: Site) -> None:
    day = MONDAY + 7 * DAY
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda", on=MONDAY)
        site.team.do(tx, "wanda", row.code, "make_appointment", MONDAY, day=day, **APPOINTMENT)
        (one,) = appointments.of_case(tx, row.id)
        assert one.starts_at.astimezone(ROME).strftime("%H:%M") == "10:30" and one.status == "planned"
        wanda = staff_id(tx, "wanda")
    for n in range(8):
        night(site, MONDAY + n * DAY)
    with site.ponte.store.transaction() as tx:
        assert told(tx, "appointment/") == [(f"staff:{wanda}", "remind")], "the worker once"
        assert [to[:7] for to, _kind in told(tx, "make_appointment")] == ["person:"], "and the household"
        site.team.do(tx, "wanda", row.code, "end_appointment", day + DAY, appointment=one.id, came_of_it="held")
        assert appointments.of_case(tx, row.id)[0].status == "held"
        undoing.undo(tx, site.team.occasion(tx, "wanda", day + DAY), row.code)
        assert appointments.of_case(tx, row.id)[0].status == "planned"


def test_a_cancelled_appointment_reminds_nobody_and_two_reminders_keep_their_own_hours(site: Site) -> None:
    day = TODAY + 7 * DAY
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda")
        site.team.do(tx, "wanda", row.code, "make_appointment", TODAY, day=day, **APPOINTMENT)
        site.team.do(tx, "wanda", row.code, "make_appointment", TODAY, day=day + DAY, **APPOINTMENT | {"hour": 15})
        second, first = appointments.of_case(tx, row.id)
        assert appointments.of_entry(tx, row.id, first.seq) == first, "a reminder reads its own appointment"
        site.team.do(tx, "wanda", row.code, "end_appointment", TODAY, appointment=first.id, came_of_it="cancelled")
        query = select(outbox.c.status).where(outbox.c.message == "appointment_reminder").order_by(outbox.c.id)
        assert tx.connection.execute(query).scalars().all() == ["withdrawn", "queued"]
        undoing.undo(tx, site.team.occasion(tx, "wanda", TODAY), row.code)
        assert tx.connection.execute(query).scalars().all() == ["queued", "queued"]
        assert second.starts_at.astimezone(ROME).hour == 15


@pytest.mark.parametrize(
    ("trigger", "fields", "sentence"),
    [
        ("make_appointment", {"day": TODAY - DAY, **APPOINTMENT}, "has passed"),
        ("end_appointment", {"appointment": 99, "came_of_it": "held"}, "no appointment number 99"),
        ("end_appointment", {"appointment": 1, "came_of_it": "held"}, "still to come"),
    ],
)
def test_what_cannot_be_written_down_about_an_appointment_says_why(
    site: Site, trigger: str, fields: dict[str, Any], sentence: str
) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda")
        site.team.do(tx, "wanda", row.code, "make_appointment", TODAY, day=TODAY + 7 * DAY, **APPOINTMENT)
        with pytest.raises(BadInput, match=sentence):
            site.team.do(tx, "wanda", row.code, trigger, TODAY, **fields)


def test_the_agenda_shows_mine_or_all_that_i_may_see_and_leads_to_the_outcome(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda")
        site.team.do(tx, "wanda", row.code, "make_appointment", TODAY, day=TODAY + DAY, **APPOINTMENT)
        assert agenda.agenda(tx, site.team.occasion(tx, "rita", TODAY), TODAY, 14, everybody=True) == []
        with pytest.raises(BadInput):
            agenda.agenda(tx, site.team.occasion(tx, "rita", TODAY), TODAY, 400)
    wanda, sara = site.signed_in("wanda"), site.signed_in("sara")
    page = wanda.get("/agenda").text
    assert "sportello" in page and "10:30" in page
    form = wanda.get(f"/cases/{row.code}/do/end_appointment?appointment=1").text
    assert 'name="appointment"' in form and 'value="1"' in form
    assert "sportello" not in sara.get("/agenda").text
    assert "sportello" in sara.get("/agenda?whose=all").text


# The calendar feed


def test_the_feed_shows_codes_alone_until_it_is_revoked(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = referred(site, tx)
        site.team.do(tx, "wanda", row.code, "make_appointment", TODAY, day=TODAY + DAY, **APPOINTMENT)
        tasks.add(tx, site.team.occasion(tx, "wanda", TODAY), "Secret errand", TODAY, code=row.code)
    wanda, stranger = site.signed_in("wanda"), site.visitor()
    assert "There is no feed yet" in wanda.get("/account/calendar").text
    page = wanda.post("/account/calendar", follow_redirects=True).text
    address = page.split('readonly value="')[1].split('"')[0]
    answer = stranger.get(address)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert {str(event["SUMMARY"]) for event in events} == {f"Appuntamento {row.code}", f"Compito {row.code}"}
    assert len(events) == 3
    for secret in ("Prova", "Persona", "sportello", "colloquio", "errand", "SerT"):
        assert secret not in answer.text
    assert address.rpartition("/")[2] not in wanda.get("/account/calendar").text, "shown once"
    second = wanda.post("/account/calendar", follow_redirects=True).text.split('readonly value="')[1].split('"')[0]
    assert stranger.get(address).status_code == 404 and stranger.get(second).status_code == 200
    wanda.post("/account/calendar/revoke", follow_redirects=True)
    assert stranger.get(second).status_code == 404


def test_a_leavers_feed_is_gone_and_guesses_are_counted(site: Site) -> None:
    wanda, ada = site.signed_in("wanda"), site.signed_in("ada")
    address = wanda.post("/account/calendar", follow_redirects=True).text.split('readonly value="')[1].split('"')[0]
    ada.post("/administration/users/wanda/deactivate", follow_redirects=True)
    stranger = site.visitor()
    assert stranger.get(address).status_code == 404
    answers = {stranger.get(f"/calendar/{'x' * 43}.ics").status_code for _n in range(130)}
    assert answers == {404, 429}


# Teams


def test_the_patience_with_a_late_task_is_that_of_a_working_week() -> None:
    assert reminding.PATIENCE == 5
