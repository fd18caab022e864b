"""Use cases. Each takes a transaction and a date, and never commits."""
