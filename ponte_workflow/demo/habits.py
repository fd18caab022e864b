"""Who in the neighbourhood pays how: the mix of habits that gives a demo its cases."""

from datetime import date, timedelta
from random import Random

from ponte_workflow.demo.rent import DUE_DAY, Habit

WEEKS_PLAYED = 12
CONTAINED_AT_START = 26
CONTAINED_LATER = 39
PERSISTENT = 26
SERIOUS = 9
VANISHING = (3, 2)  # of those at the start, of those later: paid off during the weeks played


def mix(random: Random, homes: int, last_day: date) -> list[Habit]:
    """One habit for each home, shuffled; contained arrears come up before and during the twelve weeks to `last_day`."""
    start = last_day - timedelta(weeks=WEEKS_PLAYED)
    end = month_of(last_day)
    habits = [
        *(_lost_before(random, number, start) for number in range(CONTAINED_AT_START)),
        *_lost_meanwhile(random, start, last_day),
        *(
            Habit("long_persistent", drops_in=end - 25, share=random.choice((70, 72, 75)), delay=(-6, 2))
            for _ in range(PERSISTENT)
        ),
        *(Habit("serious", drops_in=end - 24, share=0) for _ in range(SERIOUS)),
        *(_recovered(random, last_day) for _ in range(8)),
        *(Habit("late", delay=(4, 19)) for _ in range(24)),
        *(Habit("slipped", slips_in=end - random.randint(1, 15)) for _ in range(14)),
        *(Habit("credit", ahead_in=end - random.randint(4, 15)) for _ in range(7)),
        *(Habit(cancelled_in=end - random.randint(3, 11)) for _ in range(20)),
    ]
    habits += [Habit() for _ in range(homes - len(habits))]
    random.shuffle(habits)
    return habits


def month_of(day: date) -> int:
    """The month as year * 12 + month - 1."""
    return day.year * 12 + day.month - 1


def _lost_before(random: Random, number: int, start: date) -> Habit:
    last_due = month_of(start) if start.day >= DUE_DAY else month_of(start) - 1
    unpaid = 2 + number % 6
    share = 0 if unpaid < 4 else random.choice((33, 45))
    if number < VANISHING[0]:
        repays_on = start + timedelta(days=random.randint(16, 50))
        return Habit("vanishing", drops_in=last_due - 2, share=0, repays_on=repays_on)
    return Habit("lost_income", drops_in=last_due - unpaid + 1, share=share)


def _lost_meanwhile(random: Random, start: date, last_day: date) -> list[Habit]:
    """Two charges unpaid make the arrears contained: on the due dates that lie within the weeks played."""
    days = (start + timedelta(days=n) for n in range(1, (last_day - start).days + 1))
    dues = [day for day in days if day.day == DUE_DAY]
    habits = []
    for number in range(CONTAINED_LATER):
        due = dues[number % len(dues)]
        habit = Habit("lost_income", drops_in=month_of(due) - 1, share=0)
        if number < VANISHING[1]:
            repays_on = dues[0] + timedelta(days=random.randint(9, 30))
            habit = Habit("vanishing", drops_in=month_of(dues[0]) - 1, share=0, repays_on=repays_on)
        habits.append(habit)
    return habits


def _recovered(random: Random, last_day: date) -> Habit:
    a_year_ago = month_of(last_day) - 12
    repays_on = last_day - timedelta(days=random.randint(200, 300))
    return Habit("recovered", drops_in=a_year_ago - random.randint(2, 4), share=0, repays_on=repays_on)
