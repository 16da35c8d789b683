"""Secrets are kept out of every message, also when the other side repeats them to us."""

from __future__ import annotations

import threading


class Secrets:
    """The texts that no message may hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: frozenset[str] = frozenset()

    def add(self, *texts: str) -> None:
        """Keep these out from now on."""
        with self._lock:
            self._texts |= frozenset(texts)

    def redact(self, text: str) -> str:
        """The text without any secret."""
        for secret in sorted(self._texts, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
