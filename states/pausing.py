"""The pause overlay: no state of its own; the clocks stand still and are re-based when the case goes on."""

from datetime import date

from states.decision import Decision, Effect, Hold, MoveClock, Refusal, Release, StartClock, StopClock
from states.document import Text
from states.pathway import PAUSE_CLOCK, Pathway
from states.snapshot import HOUSEHOLD, CaseSnapshot, Paused


def pause(pathway: Pathway, case: CaseSnapshot, event: Paused, on: date) -> Decision | Refusal:
    """Stand still until the review date, within what is left of the longest pause; every clock stands still too."""
    rules = pathway.document.pause
    if case.paused_on is not None:
        return Refusal("paused", Text(it="il caso è già sospeso", en="the case is paused already"))
    if pathway.household.is_closed(case.configuration):
        return Refusal("not_here", Text(it="un caso concluso non si sospende", en="a closed case is not paused"))
    if event.reason not in rules.reasons:
        known = ", ".join(rules.reasons)
        return Refusal("fields", Text(it=f"motivo sconosciuto; uno di: {known}", en=f"unknown reason; one of: {known}"))
    if event.review_on <= on:
        return Refusal(
            "fields", Text(it="la data di revisione deve venire dopo oggi", en="the review date must come after today")
        )
    left = rules.longest_days - case.paused_days
    if (event.review_on - on).days > left:
        return Refusal(
            "pause_cap",
            Text(
                it=f"restano {max(left, 0)} giorni di sospensione su {rules.longest_days}",
                en=f"{max(left, 0)} of {rules.longest_days} days of pause are left",
            ),
        )
    stand = tuple(MoveClock(c.person_id, c.name, c.position, c.held, None) for c in case.clocks if c.due_on is not None)
    review = StartClock(HOUSEHOLD, PAUSE_CLOCK, event.review_on, event.review_on)
    return Decision(case.configuration, (*stand, review, Hold(event.reason, event.review_on)))


def resume(pathway: Pathway, case: CaseSnapshot, on: date) -> Decision | Refusal:
    """Go on: every clock is re-based by the time that it stood still, in its own unit."""
    if case.paused_on is None:
        return Refusal("not_paused", Text(it="il caso non è sospeso", en="the case is not paused"))
    moves: list[Effect] = [StopClock(HOUSEHOLD, PAUSE_CLOCK)]
    for clock in case.clocks:
        if clock.name == PAUSE_CLOCK or clock.due_on is not None:
            continue
        # A clock started during the pause stood still from its own start only.
        since = max(case.paused_on, clock.started_on)
        held = clock.held + pathway.held(clock.name, clock.person_id, since, on)
        due = pathway.due(clock.name, clock.person_id, clock.position, clock.started_on, held)
        moves.append(MoveClock(clock.person_id, clock.name, clock.position, held, due))
    return Decision(case.configuration, (*moves, Release((on - case.paused_on).days)))
