"""A personal plan is written and waits for its person."""
