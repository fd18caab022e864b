"""The detection rule: from three figures of a tenancy to a class of arrears, and the reasons in words."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

CLASSES = ("regular", "watch", "contained", "serious", "persistent")


class DetectionParameters(BaseModel):
    """Thresholds of the rule; each quarter may change them. Months count in monthly rent plus service charges."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    regular_below_months: int = Field(default=1, ge=0)
    watch_below_months: int = Field(default=2, ge=0)
    watch_below_cents: int = Field(default=15_000, ge=0)
    serious_above_cents: int = Field(default=400_000, ge=0)
    serious_above_months: int = Field(default=12, ge=0)
    persistent_above_months: int = Field(default=1, ge=0)


class Figures(NamedTuple):
    """What the rule reads, in cents: the balance that day and one year before, one month of rent and service."""

    balance_cents: int
    year_ago_cents: int
    monthly_cents: int


class Reason(NamedTuple):
    """One sentence with its figures, in both languages."""

    it: str
    en: str

    def text(self, language: str) -> str:
        """The sentence in that language, `it` or `en`."""
        return self.it if language == "it" else self.en


@dataclass(frozen=True)
class Verdict:
    """The class of a tenancy. Its reasons are put into words when asked for: a night looks at a million tenancies."""

    class_: str
    figures: Figures
    parameters: DetectionParameters

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Every figure that decided, the class's own last."""
        return _reasons(self)


def classify(figures: Figures, parameters: DetectionParameters) -> str:
    """The class, by the rule of the domain in its order: the first that fits wins.

    Nothing owed (balance <= 0) is regular even where the monthly amount is 0; a tenancy without monthly amount that
    owes something exceeds any number of months, so that from `watch_below_cents` on a supervisor sees it as serious.
    """
    balance, year_ago, monthly = figures
    if balance <= 0 or balance < parameters.regular_below_months * monthly:
        return "regular"
    if balance < parameters.watch_below_months * monthly or balance < parameters.watch_below_cents:
        return "watch"
    if balance > parameters.serious_above_cents or balance > parameters.serious_above_months * monthly:
        return "serious"
    if year_ago > parameters.persistent_above_months * monthly:
        return "persistent"
    return "contained"


def verdict(figures: Figures, parameters: DetectionParameters) -> Verdict:
    """The class together with its reasons."""
    return Verdict(classify(figures, parameters), figures, parameters)


def euro(cents: int) -> str:
    """Italian form: 1.234,50."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", ".") + f",{rest:02d}"


def _euro_en(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _balance(figures: Figures) -> Reason:
    balance, _year_ago, monthly = figures
    if monthly == 0:
        return Reason(
            f"Saldo {euro(balance)} EUR; nessun canone né spese mensili",
            f"Balance EUR {_euro_en(balance)}; no monthly rent or service charges",
        )
    # Rounded towards zero: 1.99 months must not read as the 2.0 that would make another class.
    tenths = (1 if balance >= 0 else -1) * (abs(balance) * 10 // monthly)
    months = f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"
    return Reason(
        f"Saldo {euro(balance)} EUR: {months.replace('.', ',')} mensilità da {euro(monthly)} EUR",
        f"Balance EUR {_euro_en(balance)}: {months} months of EUR {_euro_en(monthly)}",
    )


def _year_ago(figures: Figures, months: int) -> Reason:
    limit = months * figures.monthly_cents
    over = figures.year_ago_cents > limit
    return Reason(
        f"Un anno prima il saldo era {euro(figures.year_ago_cents)} EUR, "
        + (f"già oltre {euro(limit)} EUR: non è transitoria" if over else f"non oltre {euro(limit)} EUR: è recente"),
        f"One year before the balance was EUR {_euro_en(figures.year_ago_cents)}, "
        + (
            f"already above EUR {_euro_en(limit)}: not transitory"
            if over
            else f"not above EUR {_euro_en(limit)}: recent"
        ),
    )


def _below(what_it: str, what_en: str, limit: int) -> Reason:
    return Reason(f"Sotto {what_it}, {euro(limit)} EUR", f"Below {what_en}, EUR {_euro_en(limit)}")


def _above(what_it: str, what_en: str, limit: int) -> Reason:
    return Reason(f"Sopra {what_it}, {euro(limit)} EUR", f"Above {what_en}, EUR {_euro_en(limit)}")


def _reasons(found: Verdict) -> tuple[Reason, ...]:
    return (_balance(found.figures), *_DECIDED_BY[found.class_](found.figures, found.parameters))


def _regular(figures: Figures, rule: DetectionParameters) -> list[Reason]:
    if figures.balance_cents <= 0:
        return [Reason("Nessun debito", "Nothing is owed")]
    months = rule.regular_below_months
    return [_below(*_months(months), months * figures.monthly_cents)]


def _watch(figures: Figures, rule: DetectionParameters) -> list[Reason]:
    limit, reasons = rule.watch_below_months * figures.monthly_cents, []
    if figures.balance_cents < limit:
        reasons.append(_below(*_months(rule.watch_below_months), limit))
    if figures.balance_cents < rule.watch_below_cents:
        reasons.append(_below("la soglia di attenzione", "the watch threshold", rule.watch_below_cents))
    return reasons


def _serious(figures: Figures, rule: DetectionParameters) -> list[Reason]:
    limit, reasons = rule.serious_above_months * figures.monthly_cents, []
    if figures.balance_cents > rule.serious_above_cents:
        contained = ("il limite della morosità contenuta", "the limit of contained arrears")
        reasons.append(_above(*contained, rule.serious_above_cents))
    if figures.balance_cents > limit:
        reasons.append(_above(*_months(rule.serious_above_months), limit))
    return reasons


def _between(figures: Figures, rule: DetectionParameters) -> list[Reason]:
    monthly = figures.monthly_cents
    low = max(rule.regular_below_months * monthly, rule.watch_below_months * monthly, rule.watch_below_cents)
    high = min(rule.serious_above_months * monthly, rule.serious_above_cents)
    return [
        Reason(
            f"Da {euro(low)} EUR (soglia di attenzione) a {euro(high)} EUR (limite della morosità contenuta)",
            f"From EUR {_euro_en(low)} (watch threshold) to EUR {_euro_en(high)} (limit of contained arrears)",
        ),
        _year_ago(figures, rule.persistent_above_months),
    ]


_DECIDED_BY = {
    "regular": _regular,
    "watch": _watch,
    "serious": _serious,
    "persistent": _between,
    "contained": _between,
}


def _months(number: int) -> tuple[str, str]:
    return ("1 mensilità", "1 month") if number == 1 else (f"{number} mensilità", f"{number} months")
