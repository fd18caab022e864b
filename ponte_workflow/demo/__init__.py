"""A synthetic neighbourhood and twelve weeks of life in it, for `make demo`."""
