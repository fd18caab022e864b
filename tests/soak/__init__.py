"""The soak: a simulated year of a town through Ponte's public doors, with faults drawn from a seed; the promises hold."""
