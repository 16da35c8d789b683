"""Values and rules: what FINRA publishes, how it is told apart, and what follows from it. Nothing here does I/O."""
