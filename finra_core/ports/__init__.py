"""What the core needs from outside. `finra_core.testing` has the suites that every implementation must pass."""
