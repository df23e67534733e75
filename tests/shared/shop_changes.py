"""What befalls a night of the shop."""

from __future__ import annotations

from typing import Any


def fail_half(columns: dict[str, Any]) -> None:
    """Half of the night's requests time out."""
    columns["status"] = ["timeout" if n % 2 else "ok" for n in range(len(columns["status"]))]


def no_errors(columns: dict[str, Any]) -> None:
    """No request times out."""
    columns["status"] = ["ok"] * len(columns["status"])


def warmer(columns: dict[str, Any]) -> None:
    """An input moves, and nothing else does."""
    columns["price"] = columns["price"] * 2
