"""Payment plans that a household can bear: proposals from its arrears, its income and what housing costs, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from states.document import PaymentPolicy, Text
from states.instalments import schedule


@dataclass(frozen=True, slots=True)
class Arrear:
    """What is owed for one item towards one creditor; `cents` > 0."""

    item: str
    creditor: str
    cents: int


@dataclass(frozen=True, slots=True)
class Means:
    """What a household lives on: net income a month, people, and what rent and service charges take of it a month."""

    income_cents: int
    people: int
    housing_cents: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """One plan. Amounts in cents; `left_cents`: to live on, after housing and an instalment; `share_percent`: of the
    income that housing and an instalment take together."""

    name: str  # light, middle, quick
    total_cents: int
    instalments: tuple[tuple[int, date, int], ...]  # number, due on, cents
    parts: tuple[tuple[Arrear, int], ...]  # of an instalment, for each item; the last one takes the remainder
    left_cents: int
    share_percent: int

    @property
    def instalment_cents(self) -> int:
        """What is paid each month but the last."""
        return self.instalments[0][2]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What can be proposed, with the reason in words. `bearable_cents`: the highest instalment a month."""

    plans: tuple[Proposal, ...]
    bearable_cents: int
    why: Text
    problem: Text | None = None  # why no plan covers all of it, and what would do


def propose(arrears: Sequence[Arrear], means: Means, first_due_on: date, policy: PaymentPolicy) -> Proposals:
    """Up to three plans over the whole arrears, the lightest first, none beyond what the household can bear.

    Raises ValueError for an amount that is not positive, or for nobody.
    """
    if any(one.cents <= 0 for one in arrears) or means.people < 1 or min(means.income_cents, means.housing_cents) < 0:
        raise ValueError("arrears are positive, incomes and housing costs not negative, and somebody lives there")
    total = sum(one.cents for one in arrears)
    bearable = _bearable(means, policy)
    why = _why(means, policy, bearable)
    if total == 0:
        return Proposals((), bearable, why, Text(it="non c'è nulla da rientrare", en="nothing is owed"))
    smallest = policy.smallest_instalment_cents
    if bearable < smallest:
        return Proposals((), bearable, why, _nothing_bearable(bearable, smallest))
    # Light enough to be borne, and not so light that an instalment is hardly worth its notice. Remainders on the last
    # instalment stay below a cent for each of the others: they are looked at too.
    # An instalment is at least a cent: of two cents there are no three.
    shortest = max(min(policy.shortest_months, total), -(-total // bearable))
    while shortest <= policy.longest_months and schedule(first_due_on, shortest, total)[-1][2] > bearable:
        shortest += 1
    longest = max(min(policy.longest_months, total // smallest), 1)
    if shortest > policy.longest_months:
        return Proposals((), bearable, why, _too_much(total, bearable, policy))
    longest = max(longest, shortest)
    lengths = {"light": longest, "middle": (longest + shortest) // 2, "quick": shortest}
    found: dict[int, str] = {}
    for name, months in lengths.items():
        found.setdefault(months, name)
    return Proposals(
        tuple(_plan(name, arrears, total, months, first_due_on, means) for months, name in found.items()), bearable, why
    )


def _bearable(means: Means, policy: PaymentPolicy) -> int:
    by_share = means.income_cents * policy.housing_share_percent // 100 - means.housing_cents
    by_need = means.income_cents - means.housing_cents - _need(means, policy)
    return max(0, min(by_share, by_need))


def _need(means: Means, policy: PaymentPolicy) -> int:
    """What people need to live on besides housing: the first one whole, each further one by a part."""
    more = (means.people - 1) * policy.least_left_cents * policy.least_left_further_percent // 100
    return policy.least_left_cents + more


def _plan(name: str, arrears: Sequence[Arrear], total: int, months: int, first_due_on: date, means: Means) -> Proposal:
    instalments = schedule(first_due_on, months, total)
    each = instalments[0][2]
    parts, rest = [], each
    for arrear in arrears[:-1]:
        part = each * arrear.cents // total
        parts.append((arrear, part))
        rest -= part
    parts.append((arrears[-1], rest))
    taken = means.housing_cents + max(cents for _number, _due, cents in instalments)
    share = -(-taken * 100 // means.income_cents)
    return Proposal(name, total, instalments, tuple(parts), means.income_cents - taken, share)


def _why(means: Means, policy: PaymentPolicy, bearable: int) -> Text:
    share, need = policy.housing_share_percent, _euros(_need(means, policy))
    return Text(
        it=(
            f"affitto, spese e rata insieme al massimo il {share}% del reddito, e per vivere almeno {need} "
            f"({means.people} persone): restano {_euros(bearable)} al mese per la rata"
        ),
        en=(
            f"rent, service charges and instalment together at most {share}% of the income, and at least {need} to live on "
            f"({means.people} people): {_euros(bearable)} a month are left for an instalment"
        ),
    )


def _nothing_bearable(bearable: int, smallest: int) -> Text:
    return Text(
        it=(
            f"oggi il nucleo può sostenere {_euros(bearable)} al mese, meno della rata minima ({_euros(smallest)}): "
            "prima servono lavoro o sostegni; si può sospendere, o sentire il gestore"
        ),
        en=(
            f"the household can bear {_euros(bearable)} a month now, less than the smallest instalment ({_euros(smallest)}): "
            "work or support come first; pause, or talk to the landlord"
        ),
    )


def _too_much(total: int, bearable: int, policy: PaymentPolicy) -> Text:
    months = policy.longest_months
    needed, fits = -(-total // months), bearable * months
    return Text(
        it=(
            f"anche in {months} rate servirebbero {_euros(needed)} al mese, il nucleo ne può sostenere {_euros(bearable)}: "
            f"proporre un primo piano su {_euros(fits)}, o chiedere al gestore più tempo"
        ),
        en=(
            f"even {months} instalments would take {_euros(needed)} a month, the household can bear {_euros(bearable)}: "
            f"propose a first plan over {_euros(fits)}, or ask the landlord for more time"
        ),
    )


def _euros(cents: int) -> str:
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d} EUR"
