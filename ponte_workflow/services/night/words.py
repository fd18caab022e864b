"""The night in words: its steps and their states, why one was left out, the clocks that it looks at."""

from datetime import date

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language, ngettext
from states.pathway import PAUSE_CLOCK, Pathway


def step_name(step: str) -> str:
    """A step of the night as people call it."""
    names = {
        "ledgers": _("freshness of the ledgers"),
        "instalments": _("instalments and plans"),
        "detection": _("detection of arrears"),
        "clocks": _("deadlines and reminders"),
        "stalls": _("stalled cases and new adults"),
        "tasks": _("tasks and appointments"),
        "digests": _("morning mails"),
        "figures": _("figures of the pathway"),
        "certificate": _("certificate"),
    }
    return names.get(step, step)


def status_name(status: str) -> str:
    """The state of a night or of one of its steps."""
    names = {
        "waiting": _("not begun"),
        "running": _("not finished"),
        "completed": _("done"),
        "skipped": _("left out"),
    }
    return names.get(status, status)


def runner_name(runner: str) -> str:
    """What ran the night."""
    names = {"plain": _("from the console"), "prefect": _("by the schedule"), "rehearsal": _("as a rehearsal")}
    return names.get(runner, runner)


def note_words(note: str) -> str:
    """Why a step was left out. Certificates keep it in English: what is sealed does not depend on a language."""
    notes = {
        "stale ledgers": _("stale ledgers"),
        "no ledger was ever imported": _("no ledger was ever imported"),
        "a missed night: the figures are made with the next one": _(
            "a missed night: the figures are made with the next one"
        ),
        "a missed night: its notices come with the next digest": _(
            "a missed night: its notices come with the next digest"
        ),
    }
    return notes.get(note, note)


def incident_words(name: str, n: int) -> str:
    """What went wrong during a night and was mended by it: a name of store/incidents.py and how often."""
    sentences = {
        "taken_up_again": ngettext(
            "a run ended before its time and another took it up ({n} time)",
            "a run ended before its time and another took it up ({n} times)",
            n,
        ),
        "database_away": ngettext(
            "the database went away and was waited for ({n} time)",
            "the database went away and was waited for ({n} times)",
            n,
        ),
        "batches_redone": ngettext(
            "{n} batch failed and was done again case by case",
            "{n} batches failed and were done again case by case",
            n,
        ),
        "shards_taken_over": ngettext(
            "{n} shard was taken over from a worker that had fallen silent",
            "{n} shards were taken over from workers that had fallen silent",
            n,
        ),
        "prefect_lost": ngettext(
            "Prefect was lost on the way and the night went on without it ({n} time)",
            "Prefect was lost on the way and the night went on without it ({n} times)",
            n,
        ),
        "clock_went_back": ngettext(
            "the machine's clock went back: {n} earlier night began later than this one",
            "the machine's clock went back: {n} earlier nights began later than this one",
            n,
        ),
        "ahead_days": ngettext(
            "it ran {n} day before its date: what came in until then is for the next night",
            "it ran {n} days before its date: what came in until then is for the next night",
            n,
        ),
    }
    return sentences.get(name, f"{name}: {n}").format(n=n)


def clock_name(pathway: Pathway, clock: str, person_id: int) -> str:
    """A clock, or the rule of one of its alarms, by the state that it belongs to."""
    if clock.startswith(PAUSE_CLOCK):
        return _("review of the pause")
    chart = pathway.person if person_id else pathway.household
    path = clock.partition("/")[0]
    return _("deadline of “{state}”").format(state=chart.label(path).in_(language())) if path in chart.states else clock


def day(value: date) -> str:
    """A date as it is written here: 23/11/2026."""
    return value.strftime("%d/%m/%Y")


def euros(cents: int) -> str:
    """Cents as 1.234,56 euro."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", ".") + f",{rest:02d} €"
