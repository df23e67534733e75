"""Nights as they are done: a bar and lines on a terminal, lines alone in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitoring.records import ALL_ROWS, NUMBERS
from ronda.nights import Round


@contextmanager
def shown(service: str, nights: int, *, quiet: bool) -> Iterator[Callable[[Round], None]]:
    """A function that is told each night as it is done, and shows it on standard error.

    Args:
        quiet: only errors are shown; standard output belongs to JSON.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(escape(service), total=nights)

        def told(done: Round) -> None:
            bar.advance(task)
            if done.error is not None:
                bar.console.print(f"[bold red]{escape(str(done.error))}[/]")
            elif not quiet and sys.stdout.isatty():
                bar.console.print(escape(line(done)))
            elif not quiet:
                print(line(done), flush=True)

        yield told


def line(done: Round) -> str:
    """One night in one line: what it came to, what was read, and whether it was known already."""
    if done.written is None:
        return f"{done.night}  {done.error}"
    row = done.written.row
    removed = row.rows_read - row.rows_kept
    aside = f", {removed:,} set aside" if removed else ""
    known = "" if done.written.recorded.is_new else "  (known already, nothing written)"
    again = f"  revision {row.revision}: {row.changed}" if row.revision > 1 and not known else ""
    verdicts = {
        finding.verdict
        for finding in done.written.judged.findings
        if finding.slice == ALL_ROWS and finding.measure not in NUMBERS
    }
    moved = (
        f"{row.moved} features moved"
        if verdicts & {"stable", "drifted"}
        else "too few rows to judge any feature"
    )
    return f"{done.night}  {row.standing:<10}  {row.rows_kept:>9,} requests{aside}, {moved}{known}{again}"
