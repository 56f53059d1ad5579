"""How fast a step is, against named peers: `make bench`, or `python -m benchmarks --help`."""
