"""What happens to software at night, done to real processes: they are killed, cut off, starved and lied to.

A folder of its own beside unit, integration and e2e, because these tests kill processes and servers of their own.
"""
