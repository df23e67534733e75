"""What a check says: its rows, its columns, and whether it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from monitoring import text

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Row:
    """One thing that was looked at.

    Attributes:
        what: the subject, in a word or two.
        found: what is there; never a value of a column, counts below 10 as `<10`.
        verdict: `failed` stops a night or would put personal data at rest; a `warning` does neither.
        to_do: what would be right; empty where nothing is to be done.
    """

    what: str
    found: str
    verdict: Verdict = "ok"
    to_do: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a view, and what ronda takes it for.

    Attributes:
        view: requests, feedback or training.
        engine: `number`, `category` (text and booleans), `time` or `other`, as the source describes it.
        taken_for: feature, operation, deployment, id, … or `ignored`.
        why: why it is ignored, or what else it is; may be empty.
    """

    view: str
    name: str
    engine: str
    taken_for: str
    why: str = ""


@dataclass(frozen=True)
class Check:
    """A service file held against its live source. `night` is None where the log has none to look at."""

    service: str
    night: date | None
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]

    @property
    def failed(self) -> bool:
        """Whether any row failed: the service file, a query or the source must be mended first."""
        return any(row.verdict == "failed" for row in self.rows)


def refusal(what: str, error: Exception) -> Row:
    """A failed row of what a source or a step complained of."""
    said = str(error).split(" Run `ronda check ")[0]  # they are doing just that
    return Row(what, said, "failed", "Mend it and check again.")


def rows_in_words(count: int) -> str:
    """How many rows, and not exactly how many where they could point at a person.

    >>> rows_in_words(0), rows_in_words(3), rows_in_words(1200)
    ('0', '<10', '1,200')
    """
    return text.count("en", count)


def part_in_words(part: int, whole: int) -> str:
    r"""A share with its whole: `98.1 % of 842`; of nothing there is no share.

    >>> part_in_words(421, 842), part_in_words(3, 842), part_in_words(0, 0)
    ('50.0\xa0% of 842', '<1.2\xa0% of 842', 'none of 0')
    """
    if not whole:
        return "none of 0"
    return f"{text.share('en', part / whole, part, whole)} of {rows_in_words(whole)}"


def names_in_words(names: list[str] | tuple[str, ...], most: int = 6) -> str:
    """Some names of columns, made visible and cut, with how many more there are.

    >>> names_in_words(["a", "b", "c"], most=2)
    '`a`, `b` and 1 more'
    """
    some = ", ".join(f"`{text.short(name, 40)}`" for name in names[:most])
    return some if len(names) <= most else f"{some} and {len(names) - most} more"
