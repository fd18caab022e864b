"""Every table of Ponte, by subject."""

from ponte_workflow.store.schema import (
    accounts,
    casework,
    desk,
    messages,
    money,
    neighbourhood,
    network,
    nights,
    persons,
    post,
    vulnerability,
)
from ponte_workflow.store.schema.base import metadata

__all__ = [
    "accounts",
    "casework",
    "desk",
    "messages",
    "metadata",
    "money",
    "neighbourhood",
    "network",
    "nights",
    "persons",
    "post",
    "vulnerability",
]
