"""Every table of Ponte, by subject."""

from ponte_workflow.store.schema import casework, messages, money, neighbourhood, network, nights
from ponte_workflow.store.schema.base import metadata

__all__ = ["casework", "messages", "metadata", "money", "neighbourhood", "network", "nights"]
