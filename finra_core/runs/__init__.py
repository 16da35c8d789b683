"""One run: what it is asked, what it plans, what it does, and what it reports."""
