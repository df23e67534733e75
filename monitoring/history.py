"""What the state knows of the nights before, and of the outcomes that have matured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.records import Number
from services.model import Service
from services.window import cohort_of
from store.ledger import NumberRow, numbers_before
from store.releases import OutcomeRow, latest_outcome, latest_outcomes, outcome_counts_of
from store.state import reading
from store.watch import Watch


@dataclass(frozen=True)
class Past:
    """What stood in the state before a night was judged.

    Attributes:
        numbers: date -> numbers of the nights before.
        outcome: the cohort that is mature with this night, if it has been matured.
        join: reason -> requests of that cohort.
        outcomes: the cohorts before it, oldest first.
    """

    numbers: Mapping[date, tuple[Number, ...]]
    outcome: OutcomeRow | None
    join: Mapping[str, int]
    outcomes: tuple[OutcomeRow, ...]


def past_of(watch: Watch, night: date, nights: int = 0) -> Past:
    """Read what a night is judged by and shown beside.

    Args:
        nights: how many nights back it is judged by; what pages show (`history_nights`) is read in any case.
    """
    service = watch.service
    back = max(nights, service.enough.history_nights)
    with reading(watch.state) as connection:
        numbers = numbers_before(connection, service.service, night, back)
        outcome, earlier, join = None, [], {}
        if service.outcome is not None:
            cohort = cohort_of(night, service.outcome.window)
            outcome = latest_outcome(connection, service.service, cohort)
            first, last = cohort - timedelta(days=back), cohort - timedelta(days=1)
            earlier = latest_outcomes(connection, service.service, first, last)
            join = outcome_counts_of(connection, outcome.id) if outcome else {}
    known = {day: tuple(map(_number, rows)) for day, rows in numbers.items()}
    return Past(known, outcome, join, tuple(earlier))


def outcome_number(row: OutcomeRow) -> Number:
    """The share of a cohort's labelled requests with the positive outcome."""
    return Number("outcome", "", row.positive / row.mature if row.mature else None, row.positive, row.mature)


def outcomes_by_cohort(past: Past) -> dict[date, Number]:
    """What is known of each cohort's outcome, the one that is mature with this night among them."""
    rows = past.outcomes if past.outcome is None else (*past.outcomes, past.outcome)
    return {row.night: outcome_number(row) for row in rows}


def outcome_history(service: Service, past: Past) -> tuple[tuple[date, Number | None], ...]:
    """The outcome of each earlier cohort, oldest first; None where a night has none."""
    if past.outcome is None:
        return ()
    known = {row.night: outcome_number(row) for row in past.outcomes}
    back = range(service.enough.history_nights, 0, -1)
    return tuple((day := past.outcome.night - timedelta(days=n), known.get(day)) for n in back)


def _number(row: NumberRow) -> Number:
    parts = (None if part is None else int(part) for part in (row.numerator, row.denominator))
    return Number(row.name, row.subject, row.value, *parts)
