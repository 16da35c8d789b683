"""What the system costs, side by side with the databases' own loaders and with what one would write by hand.

`python -m benchmarks` from the root of a checkout; docs/performance.md says how to read it.
"""
