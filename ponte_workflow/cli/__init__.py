"""The casework commands of the `ponte` console. Nothing here imports Prefect."""
