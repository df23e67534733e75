"""The parts of a round: what goes wrong with a night is kept as the reason for its being late."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

import feedback.night
from ronda import nights, rounds
from ronda.partition import release_window
from ronda.roster import NOT_MENDED_BY_RETRY
from services.errors import (
    NightError,
    NightNotOverError,
    ReferenceMissingError,
    SourceError,
    StateError,
    UsageError,
)
from services.window import Night, night_of, window_between
from store.state import reading
from store.troubles import TroubleRow, trouble_of

NOW = datetime(2026, 5, 20, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def night(shop: Any, day: date | None = None) -> Night:
    return night_of(day or shop.night, "UTC")


def trouble(shop: Any, day: date | None = None) -> TroubleRow | None:
    with reading(shop.watch().state) as connection:
        return trouble_of(connection, "shop", day or shop.night)


def test_an_ordinary_night_leaves_no_trouble(frozen_shop: Any) -> None:
    """What the tasks hand on are counts and paths."""
    watch = frozen_shop.watch()
    matured = rounds.mature(watch, night(frozen_shop), clock)
    written = rounds.judge(watch, night(frozen_shop), clock)

    assert trouble(frozen_shop) is None
    told = rounds.plain_outcomes(night(frozen_shop), matured)
    assert told.pop("path").startswith("outcomes/shop/2026-05-09-")
    assert told == {
        "night": "2026-05-10",
        "outcomes_of": "2026-05-09",
        "is_new": True,
        "counts": {
            "mature": 600,
            "no_feedback": 600,
            "late_feedback": 0,
            "value_missing": 0,
            "value_not_a_number": 0,
        },
        "positive": 150,
    }
    found = rounds.plain_night(written)
    assert found.pop("standing")
    assert found == {
        "night": "2026-05-10",
        "revision": 1,
        "is_new": True,
        "rows": 1200,
        "kept": 1200,
        "page": "pages/shop/2026-05-10.html",
    }


def test_an_empty_log_is_kept_as_the_reason(frozen_shop: Any) -> None:
    """The error a person reads is kept word for word, with when it happened; a new one takes its place."""
    frozen_shop.write_night(frozen_shop.night, rows=0)
    with pytest.raises(NightError, match="the log has no rows") as caught:
        rounds.judge(frozen_shop.watch(), night(frozen_shop), clock)
    assert trouble(frozen_shop) == TroubleRow("shop", frozen_shop.night, "NightError", str(caught.value), NOW)

    frozen_shop.file("sql/shop/requests.sql", "SELECT * FROM gone WHERE night >= {first_night}\n")
    with pytest.raises(SourceError):
        rounds.mature(frozen_shop.watch(), night(frozen_shop), clock)
    kept = trouble(frozen_shop)
    assert kept is not None
    assert kept.kind == "SourceError"


def test_the_command_line_keeps_it_too(shop: Any) -> None:
    """`ronda night` and a DAG leave the same trace."""
    done = nights.go_round(shop.watch(), [night(shop)], clock, lambda _: None)

    assert isinstance(done[0].error, ReferenceMissingError)
    kept = trouble(shop)
    assert kept is not None
    assert (kept.kind, kept.message) == ("ReferenceMissingError", str(done[0].error))


def test_a_night_that_is_not_over_leaves_no_reason(frozen_shop: Any) -> None:
    """Who tries too early must not be read later as why the night never came."""
    early = date(2026, 5, 20)
    for part in (rounds.mature, rounds.judge):
        with pytest.raises(NightError, match="this night is not over"):
            part(frozen_shop.watch(), night(frozen_shop, early), clock)
    assert trouble(frozen_shop, early) is None


def test_another_error_is_named_and_not_quoted(frozen_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library's words may quote what users wrote: its kind alone is kept."""

    def broken(*_: Any) -> None:
        raise ValueError("cannot parse 'call me on 11 99999-0000'")

    monkeypatch.setattr(feedback.night, "mature", broken)
    with pytest.raises(ValueError, match="cannot parse"):
        rounds.mature(frozen_shop.watch(), night(frozen_shop), clock)
    kept = trouble(frozen_shop)
    assert kept is not None
    assert kept.message == "shop, 2026-05-10: the run broke off (ValueError). Its log says where."


def test_the_first_error_is_told_when_the_state_fails_too(
    frozen_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that cannot be written does not hide what was wrong with the night."""
    frozen_shop.write_night(frozen_shop.night, rows=0)

    def full(*_: Any) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(rounds, "note_trouble", full)
    with pytest.raises(NightError, match="the log has no rows"):
        rounds.judge(frozen_shop.watch(), night(frozen_shop), clock)


def test_the_dataset_of_a_window(frozen_shop: Any) -> None:
    """The newest release of exactly these nights; without one, how to make it."""
    from ronda import released

    watch = frozen_shop.watch()
    window = release_window(watch.service, frozen_shop.night)
    with pytest.raises(NightError, match="ronda release shop --from 2026-04-12 --to 2026-05-09"):
        rounds.release_of(watch, window)
    rounds.mature(watch, night(frozen_shop), clock)
    made = released.make(watch, window, NOW)
    released.make(watch, window_between(date(2026, 5, 8), date(2026, 5, 9), "UTC"), NOW)
    assert rounds.release_of(watch, window).version == made.row.version
    other = window_between(date(2026, 5, 8), date(2026, 5, 9), "UTC")
    assert (
        rounds.release_of(watch, other, made.row.version).version == made.row.version
    )  # the one that woke it
    with pytest.raises(NightError, match="shop: there is no dataset 0123, which this run was woken by"):
        rounds.release_of(watch, window, "0123")


def test_a_task_begins_with_its_service_and_night(frozen_shop: Any) -> None:
    """What a task needs is made from the service's name and the run; a connection of Airflow's gives the source."""
    watch, found = rounds.begin("shop", {"partition_key": "2026-05-10"}, clock)
    assert (watch.service.service, watch.url, found) == ("shop", str(frozen_shop.log), night(frozen_shop))
    with pytest.raises(UsageError, match="shop: this run has no night"):
        rounds.begin("shop", {}, clock)

    text = (frozen_shop.root / "services/shop.yaml").read_text(encoding="utf-8")
    frozen_shop.file("services/shop.yaml", text.replace("${SHOP_URL}", "airflow:shop_db"))
    asked = []

    def connection(name: str) -> str:
        asked.append(name)
        return "postgres://u:secret@db/shop"

    watch, _ = rounds.begin("shop", {"partition_key": "2026-05-10"}, clock, connection)
    assert (asked, watch.url) == (["shop_db"], "postgresql://u:secret@db/shop")


def test_a_source_that_is_not_named_is_the_reason(frozen_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, in a task or on the command line, is what a late night is told with."""
    monkeypatch.delenv("SHOP_URL")
    with pytest.raises(SourceError, match="SHOP_URL"):
        rounds.begin("shop", {"partition_key": "2026-05-10"}, clock)
    with pytest.raises(SourceError, match="SHOP_URL"):  # a night that is not over is not late
        rounds.begin("shop", {"partition_key": "2026-05-20"}, clock)
    monkeypatch.setenv("SHOP_URL", str(frozen_shop.log))
    kept = trouble(frozen_shop)
    assert kept is not None
    assert (kept.kind, "SHOP_URL" in kept.message) == ("SourceError", True)
    assert trouble(frozen_shop, date(2026, 5, 20)) is None


def test_a_night_that_is_not_over(frozen_shop: Any) -> None:
    """It is refused by an error of its own, which no second try mends."""
    with pytest.raises(NightNotOverError, match="this night is not over"):
        rounds.judge(frozen_shop.watch(), night(frozen_shop, date(2026, 5, 20)), clock)
    assert f"services.errors.{NightNotOverError.__name__}" in NOT_MENDED_BY_RETRY
