"""A payment plan is in breach: letters stop and a human decides."""
