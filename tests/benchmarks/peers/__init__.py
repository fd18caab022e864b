"""The same nightly job in Ponte and in what one would use instead; each runs in a process of its own.

`python -m tests.benchmarks.peers.NAME --database URL --cases N --due M [--data FOLDER]` prints one JSON line.
"""
