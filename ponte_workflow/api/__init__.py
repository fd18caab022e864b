"""The JSON API at /api/v1: the same use cases as pages and console, for programs."""
