"""What `init` did, as plain lines: what it wrote, what it assumed, what is off; and what to run next."""

from __future__ import annotations

import textwrap

from ronda.init import Started

_AFTER = (
    "The second also replays those nights and says what would have been told (a backtest). With fewer than eight of them "
    "the first seven nights arrive in the morning's message, as what would have been said."
)
_AFTER_FIRST = (
    "The reference is of the service's own last nights. With the days that the model was trained on, or when you have "
    "changed the file, the third puts another in its place, and replays that."
)


def as_text(started: Started, width: int = 80) -> str:
    """Four short lists. Lines are folded at words."""
    lists = (
        ("Looked at", started.looked),
        ("Wrote", tuple(str(path) for path in started.files)),
        ("Assumed (change it in the files)", started.assumed),
        ("Off, and how to switch it on", started.off),
    )
    lines = [line for heading, some in lists if some for line in (heading, *_folded(some, width))]
    return "\n".join(lines) + "\n"


def next_as_text(started: Started, *, has_reference: bool, width: int = 80) -> str:
    """What to run next. Commands are never folded: they are there to be copied."""
    check, reference, night = started.next
    commands = (check, f"{check} --backtest", reference, night) if has_reference else started.next
    after = _folded((_AFTER_FIRST if has_reference else _AFTER,), width)
    return "\n".join(["Next", *(f"  {command}" for command in commands), *after]) + "\n"


def _folded(some: tuple[str, ...], width: int) -> list[str]:
    return [
        textwrap.fill(line, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        for line in some
    ]
