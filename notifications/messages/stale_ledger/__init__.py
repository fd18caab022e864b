"""Ledgers have not come in: detection and instalments are skipped meanwhile."""
