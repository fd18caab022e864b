"""Every table of Ponte, by subject."""

from ponte_workflow.store.schema import (
    accounts,
    agenda,
    casework,
    community,
    desk,
    messages,
    money,
    neighbourhood,
    network,
    nights,
    notices,
    persons,
    post,
    services_around,
    vulnerability,
)
from ponte_workflow.store.schema.base import metadata

__all__ = [
    "accounts",
    "agenda",
    "casework",
    "community",
    "desk",
    "messages",
    "metadata",
    "money",
    "neighbourhood",
    "network",
    "nights",
    "notices",
    "persons",
    "post",
    "services_around",
    "vulnerability",
]
