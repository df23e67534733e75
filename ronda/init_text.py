"""What `init` did, as plain lines: what it wrote, what it assumed, what is off, and what to run next."""

from __future__ import annotations

import textwrap

from ronda.init import Started

_AFTER = (
    "The second also replays those nights and says what would have been told (a backtest). With fewer than eight of them "
    "the first seven nights arrive in the morning's message, as what would have been said."
)


def as_text(started: Started, width: int = 80) -> str:
    """Five short lists. Lines are folded at words, but commands never: they are there to be copied."""
    lists = (
        ("Looked at", started.looked),
        ("Wrote", tuple(str(path) for path in started.files)),
        ("Assumed (change it in the files)", started.assumed),
        ("Off, and how to switch it on", started.off),
    )
    lines = [line for heading, some in lists if some for line in (heading, *_folded(some, width))]
    after = _folded((_AFTER,), width)
    return "\n".join([*lines, "Next", *(f"  {command}" for command in started.next), *after]) + "\n"


def _folded(some: tuple[str, ...], width: int) -> list[str]:
    return [
        textwrap.fill(line, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        for line in some
    ]
