"""The shell of a backtest: reads what is stored of a service, replays it, and records what came of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from monitoring import frozen
from monitoring.backtest import MOST_NIGHTS, Backtest, backtest, is_small, plain
from monitoring.bands import banded
from monitoring.bank import NIGHTS, Bank, bank_of
from monitoring.history import outcomes_by_cohort, past_of
from monitoring.profile import slices_of
from monitoring.replayed import History
from monitoring.verdicts.judge import LEAST_NIGHTS
from services.errors import ReferenceMissingError
from services.window import cohort_of, dates_of
from store.backtests import BacktestRow, drop_backtest, keep_backtest
from store.canonical import canonical_json
from store.ledger import nights_since
from store.references import ReferenceRow, latest_reference
from store.state import reading, writing
from store.watch import Watch


def record_backtest(watch: Watch, recorded_at: datetime, *, in_passing: bool = False) -> Backtest | None:
    """Replay what is stored of a service, and record the result in place of the one before.

    Nothing is recorded, and None returned, while fewer than eight nights are known; then one that was made with another
    reference is forgotten, since it says nothing of what this one will tell.

    Args:
        in_passing: do nothing where it would take much longer than a minute.

    Raises:
        ReferenceMissingError: the service has no reference.
        StateError: state or lake refuse.
    """
    row = _reference(watch)
    history = history_of(watch, row)
    found = None if in_passing and not is_small(history) else backtest(watch.service, history)
    if found is None:
        with writing(watch.state) as connection:
            drop_backtest(connection, watch.service.service, unless=row.content_sha)
        return None
    result = canonical_json(plain(found)).decode()
    with writing(watch.state) as connection:
        keep_backtest(
            connection,
            BacktestRow(watch.service.service, row.content_sha, found.nights, result, recorded_at),
        )
    return found


def history_of(watch: Watch, row: ReferenceRow) -> History:
    """The last nights that were judged, with those of the reference before them.

    A reference of a training pipeline has its own rows of those nights, not the log's: its nights are replayed by
    themselves, and only while too few others are known.
    """
    service, whole = watch.service, frozen.read(watch.lake, row.path)
    reference = frozen.only(whole, service.slices)
    before = reference.profile
    after = _last_night(watch, row) + timedelta(days=1)
    back = MOST_NIGHTS + NIGHTS
    bank = bank_of(watch, after, reference, row.path, before, back, slices_of(whole.slices))
    if service.training is not None and len(bank.nights) <= LEAST_NIGHTS:
        bank = _own(bank)
    past = past_of(watch, after, back)
    return History(
        layout=bank.layout,
        slices=before.slices,
        dates=bank.nights,
        counts=bank.counts,
        reference=banded(bank.layout, before).astype("int64"),
        reference_dates=bank.reference_nights,
        reference_counts=bank.reference_counts,
        numbers=past.numbers,
        outcomes=outcomes_by_cohort(past),
        delay=(after - cohort_of(after, service.outcome.window)).days if service.outcome else 0,
    )


def _own(bank: Bank) -> Bank:
    """The reference's own nights as those that are replayed."""
    last = slice(-(MOST_NIGHTS + NIGHTS), None)
    return Bank(
        bank.layout,
        bank.reference_nights[last],
        bank.reference_counts[last],
        bank.reference_nights,
        bank.reference_counts,
    )


def _reference(watch: Watch) -> ReferenceRow:
    with reading(watch.state) as connection:
        row = latest_reference(connection, watch.service.service)
    if row is None:
        raise ReferenceMissingError(
            f"{watch.service.service}: there is no reference, so nothing can be replayed. Freeze one first: "
            f"ronda reference {watch.service.service} --model-version V --from DATE --to DATE"
        )
    return row


def _last_night(watch: Watch, row: ReferenceRow) -> date:
    with reading(watch.state) as connection:
        nights = nights_since(connection, watch.service.service, date.min, date.max)
    frozen_last = dates_of(row.window_start, row.window_end, watch.service.time_zone)[1]
    return max([frozen_last, *(each.night for each in nights)])
