"""Secrets that stand in URLs are not shown, in whatever text the URL is."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(?<=//)([^/?#@:\s]*):[^/?#\s]*@")
_PARAMETER = re.compile(r"([?&][^=&\s]*(?:password|secret|token|key)[^=&\s]*)=[^&#\s]*", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with *** for a URL's password, and for the values of parameters that are called like a secret."""
    return _PARAMETER.sub(r"\1=***", _PASSWORD.sub(r"\1:***@", text))
