"""Slices as the service file names them: columns, and crosses of two or three of these."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

SIGN, PLAIN = "×", "x"
BETWEEN = f" {SIGN} "
"""Between the parts of a cross, in its name and in its values; a part's own value has `PLAIN` for `SIGN`."""
MOST_PARTS = 3

_WRITTEN = re.compile(r"\s*[*×]\s*")


def written(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The entries of `slices`, crosses with their parts joined by `BETWEEN`: no `*`, which is bold in Slack.

    >>> written(("origin", "carrier", "origin*carrier"))
    ('origin', 'carrier', 'origin × carrier')
    >>> written(("origin", "origin*carrier"))
    Traceback (most recent call last):
    ValueError: the cross 'origin × carrier' is of carrier, which is no entry of its own; add carrier to the list
    """
    found = tuple(
        BETWEEN.join(_WRITTEN.split(entry.strip())) if _is_written(entry) else entry for entry in entries
    )
    plain = [entry for entry in found if not _is_written(entry)]
    wrong = [said for place, name in enumerate(found) if (said := _wrong(name, plain, found[:place]))]
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def parts_of(name: str) -> tuple[str, ...]:
    """The columns of a slice dimension: those of a cross, or the column itself.

    >>> parts_of("origin × carrier"), parts_of("origin")
    (('origin', 'carrier'), ('origin',))
    """
    return tuple(name.split(BETWEEN))


def crosses(slices: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The crosses among slice dimensions -> the columns that each is made of.

    >>> crosses(("origin", "carrier", "origin × carrier"))
    {'origin × carrier': ('origin', 'carrier')}
    """
    return {name: parts for name in slices if len(parts := parts_of(name)) > 1}


def pairs(dimension: str, value: str) -> list[tuple[str, str]]:
    """A slice as columns with their values; a cross of several, but for what is no single cell of it (`other`).

    >>> pairs("origin × carrier", "JFK × B6"), pairs("origin × carrier", "other")
    ([('origin', 'JFK'), ('carrier', 'B6')], [('origin × carrier', 'other')])
    """
    columns = parts_of(dimension)
    values = parts_of(value) if len(columns) > 1 else (value,)
    return list(zip(columns, values, strict=True)) if len(columns) == len(values) else [(dimension, value)]


def is_within(fine: tuple[str, str], coarse: tuple[str, str]) -> bool:
    """Whether a cell of a cross is part of a slice of fewer of its columns; slices are dimension and value.

    >>> is_within(("origin × carrier", "JFK × B6"), ("carrier", "B6"))
    True
    >>> is_within(("origin × carrier", "JFK × B6"), ("origin", "LGA"))
    False
    """
    cell, whole = dict(pairs(*fine)), pairs(*coarse)
    if len(whole) >= len(cell):
        return False
    return all(cell.get(column) == value.replace(SIGN, PLAIN) for column, value in whole)


def _is_written(entry: str) -> bool:
    return bool(_WRITTEN.search(entry))


def _wrong(name: str, plain: Collection[str], before: Sequence[str]) -> str:
    """What is wrong with an entry, as a phrase; empty if nothing is, or it is no cross."""
    if not _is_written(name):
        return ""
    parts, what = parts_of(name), f"the cross {name[:80]!r}"
    if "" in (part.strip() for part in parts):
        return f"{what} has an empty part; write one as origin*carrier"
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        return f"{what} has {twice[:60]} twice; name each column once"
    if len(parts) > MOST_PARTS:
        return f"{what} has {len(parts)} parts; a cross is of two or three columns"
    missing = [part[:60] for part in parts if part not in plain]
    if missing:
        own = "is no entry of its own" if len(missing) == 1 else "are no entries of their own"
        return f"{what} is of {' and '.join(missing)}, which {own}; add {' and '.join(missing)} to the list"
    same = next((other for other in before if set(parts_of(other)) == set(parts)), None)
    return f"{what} is there already as {same[:80]!r}; take one of them out" if same is not None else ""
