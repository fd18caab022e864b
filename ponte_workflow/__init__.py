"""WHO DOES WHAT: the store (all SQL), the services (use cases) and the ways in (console)."""
