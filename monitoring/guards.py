"""Guards: numbers of the business, each measured by a query of its own that yields one row for a night."""

from __future__ import annotations

import math
from collections.abc import Mapping

from monitoring.records import Number
from services.errors import NightError, SourceError
from services.window import Night
from store.query import GUARD, first_rows
from store.source import Source
from store.watch import Watch

_SHARE, _AMOUNT = ("numerator", "denominator"), ("value",)
_MOST = 2**53  # beyond it doubles leave whole numbers out


def guards(watch: Watch, night: Night) -> list[Number]:
    """Every guard of a service for one night, in the order of the service file; see `guard`.

    Raises:
        ServiceFileError: a query file is missing.
        SourceError: the source refuses a query, or a query yields other columns than a guard has.
        NightError: a query yields no row, several, or numbers that are none of a guard.
    """
    return [guard(watch, name, night) for name in watch.service.guards]


def guard(watch: Watch, name: str, night: Night) -> Number:
    """One guard for one night: a `Number` named `guard` whose subject is the guard's name.

    A share has both its parts, and no value where there was nothing to count; an amount has neither part.

    Raises:
        ServiceFileError: there is no such guard, or its query file is missing.
        SourceError: the source refuses the query, or it yields other columns than a guard has.
        NightError: the query yields no row, several, or numbers that are none of a guard.
    """
    where = f"{watch.service.service}, {night.name}, guard `{name}`: {watch.service.guards[name].query}"
    with watch.guard(name, night) as source:
        columns = _columns(where, source)
        rows = source.fetch(first_rows(GUARD, columns, most=2)).to_pylist()
    if len(rows) != 1:
        advice = "Write an aggregate without GROUP BY: it yields one row, on an empty night too."
        raise NightError(f"{where} yields {'more than one row' if rows else 'no row'}. {advice}")
    row = {column: _amount(where, column, rows[0][column]) for column in columns}
    return _share(where, name, row) if columns == _SHARE else Number("guard", name, row["value"])


def _columns(where: str, source: Source) -> tuple[str, ...]:
    """The columns of a share or of an amount, whichever the query yields."""
    if not source.queries[GUARD].bounded:
        raise SourceError(
            f"{where} says nowhere which night it is about, so it would give the same for each. Cut its rows to the "
            "night, as in WHERE time >= {start} AND time < {end}."
        )
    found = source.columns(GUARD)
    columns = next((wanted for wanted in (_SHARE, _AMOUNT) if set(found) == set(wanted)), None)
    if columns is None:
        shown = ", ".join(f"`{column[:60]}`" for column in list(found)[:10])
        raise SourceError(
            f"{where} yields {shown}. Yield `numerator` and `denominator` of a share, or `value` of an amount, and "
            "nothing else."
        )
    for column in columns:
        if found[column] != "number":
            raise SourceError(f"{where} yields `{column}` as {found[column]}. Cast it to a number.")
    return columns


def _amount(where: str, column: str, value: float | None) -> float:
    if value is None:
        advice = "If nothing means none, write COALESCE(…, 0)."
        raise NightError(f"{where} yields an empty `{column}` (null). {advice}")
    if not math.isfinite(value) or value < 0:
        advice = "It must be a number of 0 or more: mend the query."
        raise NightError(f"{where} yields {value:.15g} as `{column}`. {advice}")
    return value


def _share(where: str, name: str, row: Mapping[str, float]) -> Number:
    for column in _SHARE:
        if row[column] > _MOST or not row[column].is_integer():
            advice = (
                "A share is of things that are counted: yield a whole number, or the share's size as `value`."
            )
            raise NightError(f"{where} yields {row[column]:.15g} as `{column}`. {advice}")
    part, whole = (int(row[column]) for column in _SHARE)
    if part > whole:
        advice = "What is above must be counted below too: mend the query."
        raise NightError(
            f"{where} yields {part} as `numerator`, more than the {whole} of `denominator`. {advice}"
        )
    return Number("guard", name, part / whole if whole else None, part, whole)
