"""What freezing a reference chose, for a person and for machines."""

from __future__ import annotations

from typing import Any

from monitoring.freeze import Made
from services.window import dates_of
from store.grid import CategoryGrid


def plain(made: Made) -> dict[str, Any]:
    """A reference as plain data."""
    row, frozen = made.row, made.frozen
    return {
        "service": row.service,
        "model_version": row.model_version,
        "revision": made.recorded.revision,
        "is_new": made.recorded.is_new,
        "kind": row.kind,
        "from": row.window_start.isoformat(),
        "to": row.window_end.isoformat(),
        "rows_read": row.rows_read,
        "rows_kept": row.rows_kept,
        "content_sha": row.content_sha,
        "cells": {name: grid.size for name, grid in frozen.grids.items()},
        "kinds": dict(frozen.kinds),
        "slices": {name: len(grid.values) for name, grid in frozen.slices.items()},
        "ignored": dict(frozen.ignored),
        "path": row.path,
    }


def text(made: Made, time_zone: str) -> str:
    """A reference in a few lines: what it stands on, and what became of each column."""
    row, frozen = made.row, made.frozen
    first, last = dates_of(row.window_start, row.window_end, time_zone)
    state = (
        "frozen" if made.recorded.is_new else "was frozen already with the same content; nothing was written"
    )
    lines = [
        f"Reference of {row.service}, model version {row.model_version}, revision {made.recorded.revision}: {state}.",
        f"  made of    {row.rows_kept:,} of {row.rows_read:,} requests, {first} to {last}",
    ]
    if row.kind == "own_traffic":
        lines.append(
            "  note       the service's own traffic, not what the model was trained on; every page says so"
        )
    for kind, word in (("number", "numbers"), ("category", "categories"), ("calendar", "calendar")):
        names = [_named(made, name) for name, is_of in sorted(frozen.kinds.items()) if is_of == kind]
        if names:
            lines.append(
                f"  {word:<10} {', '.join(names)}" + ("  (shown, never judged)" if kind == "calendar" else "")
            )
    operations = sorted(set(frozen.grids) - set(frozen.kinds))
    lines.append(f"  also       {', '.join(operations) or 'nothing'}")
    lines.append(
        f"  slices     {', '.join(f'{n} ({len(g.values)})' for n, g in sorted(frozen.slices.items())) or 'none'}"
    )
    lines += [f"  left out   {name}: {why.replace('_', ' ')}" for name, why in sorted(frozen.ignored.items())]
    return "\n".join(lines)


def _named(made: Made, name: str) -> str:
    grid = made.frozen.grids[name]
    if isinstance(grid, CategoryGrid):
        return f"{name} ({len(grid.values)} values{'' if grid.complete else ' and other'})"
    return name
