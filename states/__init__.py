"""WHAT MAY HAPPEN: pathways as data, the machine, guards, clocks and `decide()`. Pure: no I/O but reading its own YAML."""
