"""Dates, times and amounts as a language writes them; inside right-to-left text they keep the Italian form, isolated."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from notifications.languages import RIGHT_TO_LEFT, ltr

ROME = ZoneInfo("Europe/Rome")
LOCALES = {"it": "it_IT", "en": "en_GB", "ar": "ar", "ur": "ur", "ro": "ro_RO"}
ITALIAN = "it_IT"


def filters(language: str) -> dict[str, Callable[..., str]]:
    """The template filters of one language: `day`, `short_day`, `figures`, `moment`, `hour`, `euro`.

    Who reads Arabic or Urdu pays at Italian counters: day and amount stand as they are printed there, 23/11/2026 and
    80,50 €, with the weekday in the reader's own language.
    """
    locale, turned = LOCALES[language], language in RIGHT_TO_LEFT

    def day(value: date) -> str:
        """23 novembre 2026, with the weekday."""
        if turned:
            return f"{format_date(value, 'EEEE', locale=locale)} {figures(value)}"
        return format_date(value, "full", locale=locale)

    def short_day(value: date) -> str:
        """23 nov 2026."""
        return figures(value) if turned else format_date(value, "medium", locale=locale)

    def figures(value: date) -> str:
        """23/11/2026; of a moment, its day in Rome."""
        local = value.astimezone(ROME) if isinstance(value, datetime) else value
        return _isolated(f"{local:%d/%m/%Y}")

    def moment(value: datetime) -> str:
        """The day of a moment, in Rome."""
        return day(value.astimezone(ROME))

    def hour(value: datetime) -> str:
        """The time of a moment, in Rome."""
        return _isolated(format_time(value.astimezone(ROME), "HH:mm", locale=ITALIAN))

    def euro(value: int | Decimal) -> str:
        """Integer cents, or a Decimal in euros."""
        amount = value if isinstance(value, Decimal) else Decimal(value) / 100
        return _isolated(format_currency(amount, "EUR", locale=locale if language == "en" else ITALIAN))

    def _isolated(text: str) -> str:
        return ltr(text) if turned else text

    return {"day": day, "short_day": short_day, "figures": figures, "moment": moment, "hour": hour, "euro": euro}
