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
    """What the rule reads, in cents: the balance that day, the balance one year before, one month of rent and service."""

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
    rule, (balance, _ago, monthly) = found.parameters, found.figures
    reasons = [_balance(found.figures)]
    if balance <= 0:
        return (*reasons, Reason("Nessun debito", "Nothing is owed"))
    limits = {
        "regular": (rule.regular_below_months * monthly, *_months(rule.regular_below_months)),
        "watch": (rule.watch_below_months * monthly, *_months(rule.watch_below_months)),
        "serious": (rule.serious_above_months * monthly, *_months(rule.serious_above_months)),
    }
    watch_floor = ("la soglia di attenzione", "the watch threshold", rule.watch_below_cents)
    ceiling = ("il limite della morosità contenuta", "the limit of contained arrears", rule.serious_above_cents)
    if found.class_ == "regular":
        limit, it, en = limits["regular"]
        return (*reasons, _below(it, en, limit))
    if found.class_ == "watch":
        limit, it, en = limits["watch"]
        if balance < limit:
            reasons.append(_below(it, en, limit))
        if balance < rule.watch_below_cents:
            reasons.append(_below(*watch_floor))
        return tuple(reasons)
    limit, it, en = limits["serious"]
    if found.class_ == "serious":
        if balance > rule.serious_above_cents:
            reasons.append(_above(*ceiling))
        if balance > limit:
            reasons.append(_above(it, en, limit))
        return tuple(reasons)
    watch, watch_it, watch_en = limits["watch"]
    return (
        *reasons,
        Reason(
            f"Almeno {watch_it} ({euro(watch)} EUR) e non oltre {it} ({euro(limit)} EUR) né {euro(rule.serious_above_cents)} EUR",
            f"At least {watch_en} (EUR {_euro_en(watch)}) and not above {en} (EUR {_euro_en(limit)}) nor EUR {_euro_en(rule.serious_above_cents)}",
        ),
        _year_ago(found.figures, rule.persistent_above_months),
    )


def _months(number: int) -> tuple[str, str]:
    return ("1 mensilità", "1 month") if number == 1 else (f"{number} mensilità", f"{number} months")
