"""A backtest of real nights: what it replays is what the nights said, and it is recorded once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest

from monitoring import frozen
from monitoring.backtest import LEAST_WORK
from monitoring.backtesting import history_of, record_backtest
from monitoring.incidents import nights_apart
from monitoring.replayed import History, judge
from services.errors import ReferenceMissingError
from shop_changes import fail_half
from store.backtests import backtest_of
from store.references import latest_reference
from store.state import reading

NOW = datetime(2026, 5, 20, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """One change from one start: what they come to is tested on counts."""
    monkeypatch.setattr("monitoring.backtest.WORK", 30 * LEAST_WORK)


def stored(shop: Any) -> Any:
    """The backtest in the state."""
    with reading(shop.watch().state) as connection:
        return backtest_of(connection, "shop")


def test_a_replayed_night_says_what_the_night_said(nights: Any) -> None:
    """The same findings with the same probabilities, and the same hands on to incidents."""
    nights.write_night(nights.night, fail_half)
    written = nights.run()
    watch = nights.watch()
    with reading(watch.state) as connection:
        row = latest_reference(connection, "shop")
    assert row is not None
    history = history_of(watch, row)
    again = judge(
        watch.service, history, history.counts, len(history.dates) - 1, nights_apart((), nights.night)
    )

    assert history.dates[-1] == nights.night
    said = {(f.measure, f.feature, f.slice): (f.p_value, f.visible) for f in written.judged.findings}
    known = {(f.measure, f.feature, f.slice): (f.p_value, f.visible) for f in again.findings}
    assert {key: known[key] for key in said if key in known and key[0] != "outcome"} == {
        key: said[key] for key in said if key in known and key[0] != "outcome"
    }
    assert {"errors", "latency_ms", "volume", "distribution"} <= {measure for measure, _, _ in known}
    assert again.moved
    assert [each for each in written.judged.moved if each in again.moved] == list(again.moved)
    assert frozen.read(watch.lake, row.path).profile.slices == history.slices


def test_it_is_recorded_once_and_replaced(
    nights: Any, call_ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """The command prints it and keeps it; run again it takes the place of the one before."""
    assert stored(nights) is None
    code, out, _ = call_ronda("check", "shop", "--backtest")
    first = stored(nights)
    assert code == 0
    assert "What would have been said" in out
    assert "Which floors to change" in out

    watch = nights.watch()
    found = record_backtest(watch, LATER)
    second = stored(nights)
    assert found is not None
    assert (second.id, second.result, second.recorded_at) == (first.id, first.result, LATER)
    assert first.nights == found.nights == len(nights.past) - 7
    assert json.loads(second.result)["service"] == "shop"
    assert second.reference_sha == first.reference_sha


def test_without_history_the_first_nights_arrive_in_the_morning(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """Two training nights are no history: it says so, in words and in JSON, and records nothing."""
    code, out, _ = ronda("check", "shop", "--backtest")
    assert code == 0
    assert "no history to replay yet" in " ".join(out.split())
    assert "The first seven nights arrive in the morning's message" in " ".join(out.split())
    code, out, _ = ronda("check", "shop", "--backtest", "--json")
    assert code == 0
    assert json.loads(out)["nights"] == 0
    assert stored(frozen_shop) is None


def test_a_reference_of_enough_nights_is_replayed_as_it_is_frozen(
    nights: Any, call_ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """The command that freezes nine nights records a backtest of two, and says so; of two nights it says what comes."""
    span = "--from", str(nights.past[0]), "--to", str(nights.past[8])
    code, out, _ = call_ronda("reference", "shop", "--model-version", "v2", *span, "--json")
    made = json.loads(out)
    assert code == 0
    assert made["backtest"]["nights"] == stored(nights).nights >= 2

    code, out, _ = call_ronda("reference", "shop", "--model-version", "v2", *span)
    assert "backtest" in out
    assert "nights replayed, " in out


def test_without_a_reference_there_is_nothing_to_replay(
    shop: Any, ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """It says which command makes one."""
    code, _, err = ronda("check", "shop", "--backtest")
    assert code == 2
    assert "ronda reference shop" in err
    with pytest.raises(ReferenceMissingError):
        record_backtest(shop.watch(), NOW)


def test_a_night_is_not_named(frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]) -> None:
    """All stored nights are replayed, so a date is refused."""
    code, _, err = ronda("check", "shop", "--backtest", "--date", "2026-05-10")
    assert code == 2
    assert "--backtest replays all nights" in err


def histories(shop: Any) -> tuple[History, History]:
    """What is known of the shop as it is, and as if its reference were of a training pipeline."""
    watch = shop.watch()
    path = PurePosixPath("sql/shop/training.sql")
    with reading(watch.state) as connection:
        row = latest_reference(connection, "shop")
    assert row is not None
    taught = replace(watch, service=watch.service.model_copy(update={"training": path}))
    return history_of(watch, row), history_of(taught, row)


def test_a_training_set_is_replayed_by_itself(frozen_shop: Any) -> None:
    """Rows of a training pipeline are no nights of the log: they stand beside none of them."""
    frozen_shop.run()
    log, alone = histories(frozen_shop)

    assert [str(day) for day in log.dates] == ["2026-05-01", "2026-05-02", "2026-05-10"]
    assert alone.dates == alone.reference_dates == log.dates[:2]


def test_a_training_set_is_not_replayed_once_nights_are_known(nights: Any) -> None:
    """Fourteen judged nights are enough, and they alone are replayed."""
    log, alone = histories(nights)

    assert alone.dates == log.dates == tuple(nights.past)
    assert (alone.counts == log.counts).all()


def test_what_takes_long_is_made_when_it_is_asked_for(nights: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freezing a reference does not wait for a very large service; the command does, and records it."""
    monkeypatch.setattr("monitoring.backtest.WORK", LEAST_WORK)
    watch = nights.watch()

    assert record_backtest(watch, NOW, in_passing=True) is None
    assert stored(nights) is None
    assert record_backtest(watch, NOW) is not None
    assert stored(nights) is not None
