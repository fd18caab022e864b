"""We would like to meet a household for the first time."""
