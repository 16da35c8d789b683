"""Values and rules: what FINRA publishes, what distinguishes it, and what follows from it. Nothing here does I/O."""
