"""Cases that the night could not treat and set aside. Codes only."""
