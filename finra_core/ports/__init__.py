"""What the core needs from the world. `finra_core.testing` holds the suites that any implementation must pass."""
