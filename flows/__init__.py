"""WHEN things run: Prefect flows, their schedules and the `ponte` console."""
