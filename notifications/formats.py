"""Dates, times and amounts as a language writes them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency

ROME = ZoneInfo("Europe/Rome")
LOCALES = {"it": "it_IT", "en": "en_GB"}


def filters(language: str) -> dict[str, Callable[..., str]]:
    """The template filters of one language: `day`, `short_day`, `moment`, `hour`, `euro`."""
    locale = LOCALES[language]

    def day(value: date) -> str:
        """23 novembre 2026, with the weekday."""
        return format_date(value, "full", locale=locale)

    def short_day(value: date) -> str:
        """23 nov 2026."""
        return format_date(value, "medium", locale=locale)

    def moment(value: datetime) -> str:
        """The day of a moment, in Rome."""
        return format_date(value.astimezone(ROME), "full", locale=locale)

    def hour(value: datetime) -> str:
        """The time of a moment, in Rome."""
        return format_time(value.astimezone(ROME), "HH:mm", locale=locale)

    def euro(value: int | Decimal) -> str:
        """Integer cents, or a Decimal in euros."""
        amount = value if isinstance(value, Decimal) else Decimal(value) / 100
        return format_currency(amount, "EUR", locale=locale)

    return {"day": day, "short_day": short_day, "moment": moment, "hour": hour, "euro": euro}
