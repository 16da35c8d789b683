"""The only module that asks the machine for the time or for random numbers. Everything else is given them."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timezone


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(timezone.utc)


def utc_today() -> date:
    """Today's date in UTC."""
    return utc_now().date()


def new_run_id() -> str:
    """A fresh identifier for one run."""
    return uuid.uuid4().hex
