"""Numbers for Prometheus: how the installation stands, read at each scrape. Counts, dates and codes; nobody's data."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from ponte_workflow.clock import ROME
from ponte_workflow.services import watching
from ponte_workflow.store import condition
from ponte_workflow.store.condition import Condition, LastNight
from ponte_workflow.store.engine import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Requests:
    """What this process has answered, by route and status; routes have no codes or names in them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "ponte_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram("ponte_request_seconds", "How long answers took", ("route",), registry=self.registry)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answer."""
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


def exposition(store: Store, requests: Requests, at: datetime) -> bytes:
    """Everything in the text format of Prometheus."""
    with store.reading() as tx:
        now = condition.condition(tx, at.astimezone(ROME).date(), at)
        missed = watching.missing(tx, at) is not None
    registry = CollectorRegistry()
    registry.register(_Standing(now, at, missed=missed))
    return generate_latest(registry) + generate_latest(requests.registry)


class _Standing:
    """A collector over numbers that were read already."""

    def __init__(self, now: Condition, at: datetime, *, missed: bool) -> None:
        self._now, self._at, self._missed = now, at, missed

    def collect(self) -> Iterator[Metric]:
        """The families."""
        now, today = self._now, self._at.astimezone(ROME).date()
        cases = {"open": now.cases_open, "stalled": now.cases_stalled, "paused": now.cases_paused}
        yield _family(
            "ponte_cases", "Open cases by how they stand", "standing", cases | {"set_aside": now.cases_set_aside}
        )
        yield _family("ponte_cases_due", "Cases with a deadline due by today", None, {"": now.cases_due})
        yield _family("ponte_clocks_due", "Deadlines due by today", None, {"": now.clocks_due})
        yield _family("ponte_outbox_messages", "Messages by status", "status", now.outbox)
        waiting = 0 if now.oldest_waiting_on is None else max((today - now.oldest_waiting_on).days, 0)
        yield _family(
            "ponte_outbox_oldest_days", "Days that the oldest message which may leave waits", None, {"": waiting}
        )
        yield _family("ponte_delivered_messages", "Messages that left, by way", "way", now.delivered)
        fates = GaugeMetricFamily("ponte_delivery_events", "What became of messages, by way", labels=["way", "kind"])
        for (way, kind), many in now.fates.items():
            fates.add_metric([way, kind], many)
        yield fates
        yield _family("ponte_night_missed", "Whether a night should be certified and is not", None, {"": self._missed})
        if now.night is not None:
            yield from self._night(now.night, today)

    def _night(self, night: LastNight, today: date) -> Iterator[Metric]:
        done = night.completed_at is not None
        yield _family("ponte_night_completed", "Whether the newest night is completed", None, {"": int(done)})
        age = (today - night.on).days
        yield _family("ponte_night_age_days", "Days since the business date of the newest night", None, {"": age})
        if night.completed_at is not None:
            lasted = (night.completed_at - night.started_at).total_seconds()
            yield _family("ponte_night_seconds", "How long the newest night took", None, {"": lasted})
        counts = GaugeMetricFamily("ponte_night_cases", "What the newest night counted", labels=["step", "what"])
        for step, found in night.steps.items():
            for what, many in found._asdict().items():
                counts.add_metric([step, what], many)
        yield counts
        yield _family("ponte_night_attempts", "How often the newest night was begun", None, {"": night.attempts})


def _family(name: str, words: str, label: str | None, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family
