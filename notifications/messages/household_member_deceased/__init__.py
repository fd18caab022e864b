"""Somebody of a household has died: every message has stopped."""
