"""The guards of the community track and of referrals."""

from states.document import Parameters, Text
from states.situation import Guard, Situation
from states.snapshot import Value

CASE = ("case_worker", "supervisor")


def _known(s: Situation, field: str) -> bool:
    """Whether the number in that field of the form stands in a fact of the same name already."""
    asked: Value | None = s.fields.get(field)
    return asked is not None and any(fact.name == field and fact.value == asked for fact in s.facts)


def _was_rooted(s: Situation, p: Parameters) -> bool:
    """Hours given, or so many participations within so many days, at any time."""
    if any(fact.name == "hours_given" and int(str(fact.value)) > 0 for fact in s.facts):
        return True
    times, within = p["times"], p["within_days"]
    assert isinstance(times, int) and isinstance(within, int)
    days = sorted(fact.on for fact in s.facts if fact.name == "participated_in")
    return any((last - first).days < within for first, last in zip(days, days[times - 1 :], strict=False))


NEIGHBOURLY: tuple[Guard, ...] = (
    Guard(
        "event_not_counted",
        Text(it="questo evento è già contato per il nucleo", en="this event is counted for the household already"),
        ("volunteers",),
        lambda s, p: not _known(s, "attended_event"),
    ),
    Guard(
        "not_invited_yet",
        Text(it="il nucleo è già invitato a questo evento", en="the household is invited to this event already"),
        ("volunteers",),
        lambda s, p: not _known(s, "invited_event"),
    ),
    Guard(
        "no_participation",
        Text(it="restano altre partecipazioni", en="other participations are left"),
        ("volunteers",),
        lambda s, p: not any(fact.name == "participated_in" for fact in s.facts),
    ),
    Guard(
        "never_rooted",
        Text(
            it="restano {times} partecipazioni in {within_days} giorni, o ore donate",
            en="{times} participations in {within_days} days are left, or hours given",
        ),
        ("volunteers",),
        lambda s, p: not _was_rooted(s, p),
        frozenset({"times", "within_days"}),
    ),
    Guard(
        "household_agrees",
        Text(
            it="serve il consenso del nucleo: senza, nessun dato passa a un altro servizio",
            en="the household must agree: without that, nothing about it goes to another service",
        ),
        CASE,
        lambda s, p: s.fields.get("household_agrees") is True,
        asks=True,
    ),
    Guard(
        "alongside_open",
        Text(it="nessun aiuto in affiancamento è stato proposto", en="no help alongside has been proposed"),
        CASE,
        lambda s, p: s.latest("alongside_open") is True,
        reads=frozenset({"alongside_open"}),
    ),
    Guard(
        "reason_of_answer",
        Text(
            it="un rifiuto e un ritiro vogliono un motivo (campo reason)",
            en="a refusal and a revocation need a reason (field reason)",
        ),
        CASE,
        lambda s, p: s.fields.get("answer") in ("accepted", "done") or bool(s.fields.get("reason")),
        asks=True,
    ),
    Guard(
        "answer_is",
        Text(it="la risposta deve essere {value}", en="the answer must be {value}"),
        CASE,
        lambda s, p: s.fields.get("answer") == p["value"],
        frozenset({"value"}),
        asks=True,
    ),
)
