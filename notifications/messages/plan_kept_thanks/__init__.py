"""The plan was kept to the end: thank you."""
