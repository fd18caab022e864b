"""A night did not reach its end. Codes only."""
