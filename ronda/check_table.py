"""A check as tables for a terminal, and as plain lines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitoring import text
from ronda.check_row import Check, Column, Row

MOST_COLUMNS = 60
"""A table of more columns is folded to those that are ignored or special, and then cut."""

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def as_tables(check: Check) -> RenderableType:
    """Two tables, columns and then findings (last, so that they are what stays on the screen), and one closing line.

    User text is shown as it is, never read as markup, with control signs replaced.
    """
    parts: list[RenderableType] = [_columns(check)] if check.columns else []
    return Group(*parts, _rows(check), Text(closing(check), style=_STYLES[_worst(check)]))


def as_text(check: Check, width: int = 100) -> str:
    """The same without colours, for files, pipes and tests."""
    console = Console(
        width=width, color_system=None, force_terminal=False, record=False, legacy_windows=False
    )
    with console.capture() as captured:
        console.print(as_tables(check))
    return captured.get()


def as_plain(check: Check) -> dict[str, Any]:
    """The same for machines."""
    night = check.night.isoformat() if check.night else None
    return {**asdict(check), "night": night, "failed": check.failed}


def closing(check: Check) -> str:
    """One line: how it went and what comes next.

    >>> closing(Check("eta", None, (Row("source", "there"),), ()))
    'eta: all well.'
    """
    failed, warned = (sum(row.verdict == word for row in check.rows) for word in ("failed", "warning"))
    of = f"{check.service}, {check.night}" if check.night else check.service
    if failed:
        return f"{of}: {failed} failed, {_some(warned)}. Mend what failed and check again."
    return f"{of}: {_some(warned)}; nothing failed." if warned else f"{of}: all well."


def _some(warned: int) -> str:
    return f"{warned} warning{'' if warned == 1 else 's'}"


def _worst(check: Check) -> str:
    verdicts = {row.verdict for row in check.rows}
    return next((word for word in ("failed", "warning") if word in verdicts), "ok")


def _rows(check: Check) -> Table:
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("what", ratio=3, overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("found, and what to do", ratio=12, overflow="fold")
    for row in check.rows:
        table.add_row(_plain(row.what), Text(row.verdict, style=_STYLES[row.verdict]), _found(row))
    return table


def _found(row: Row) -> Text:
    found = _plain(row.found)
    return found.append(f"\n→ {_safe(row.to_do)}", style="dim") if row.to_do else found


def _columns(check: Check) -> Table:
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading, ratio in (("view", 2), ("column", 5), ("type", 2), ("taken for", 4), ("", 5)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    shown = _folded(check.columns)
    for column in shown:
        cells = (column.view, column.name, column.engine, column.taken_for, column.why)
        table.add_row(*map(_plain, cells))
    if len(shown) < len(check.columns):
        table.add_row("", f"… and {len(check.columns) - len(shown)} more", "", "", "")
    table.add_section()
    table.add_row()
    return table


def _folded(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    if len(columns) <= MOST_COLUMNS:
        return columns
    special = [column for column in columns if not column.taken_for.endswith("feature")]
    return tuple((special or list(columns))[:MOST_COLUMNS])


def _plain(cell: str) -> Text:
    return Text(_safe(cell))


def _safe(cell: str) -> str:
    return "\n".join(text.short(line, 2000) for line in cell.split("\n"))
