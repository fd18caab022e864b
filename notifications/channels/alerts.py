"""Alerts to whoever looks after the machine, through Apprise: a title and a line, never anything about a household."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from notifications.errors import BadData


class Alerts(Protocol):
    """A way to be told at once."""

    def tell(self, title: str, text: str) -> bool:
        """Whether anybody was told."""


@dataclass(frozen=True, slots=True)
class AppriseAlerts:
    """Addresses in Apprise's form: mailto://, ntfy://, slack://, json://... They hold secrets: never shown."""

    urls: Sequence[str] = field(repr=False)

    def tell(self, title: str, text: str) -> bool:
        """Tell each address, whatever became of the others: who is dead keeps nobody else from being told."""
        # Imported late: 0.3 s, and most runs have nothing to tell.
        import apprise

        asset = apprise.AppriseAsset(app_id="Ponte", app_desc="Ponte", app_url="", async_mode=False)
        tellers = [apprise.Apprise(asset=asset) for _url in self.urls]
        if not all(teller.add(url) for teller, url in zip(tellers, self.urls, strict=True)):
            raise BadData("an alert address is not one that Apprise knows")
        heard = [bool(teller.notify(title=title, body=text)) for teller in tellers]
        return any(heard)
