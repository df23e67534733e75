"""A column that vanishes from the log is told for three nights; one that is left out on purpose is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitoring.freeze import freeze
from services.window import window_between

LOG = "FROM requests WHERE night >= {first_night} AND night <= {last_night}"


def without(shop: Any, column: str) -> None:
    """From now on the query yields all columns but this one."""
    shop.file("sql/shop/requests.sql", f"SELECT * EXCLUDE ({column}) {LOG}")


@pytest.mark.parametrize("column", ["status", "price"])
def test_it_is_told_for_three_nights(nights: Any, column: str) -> None:
    """Errors, or an input's missing values, can no longer be measured."""
    without(nights, column)
    standings = []
    for days in range(5):
        night = nights.night + timedelta(days=days)
        nights.write_night(night)
        standings.append(nights.run(night).row.standing)
    assert standings == ["data", "data", "data", "quiet", "quiet"]


def test_a_feature_that_is_left_out(nights: Any) -> None:
    """The service file says that it is none: nothing vanished."""
    text = (nights.root / "services/shop.yaml").read_text()
    nights.file("services/shop.yaml", f"{text}features: {{not: [price]}}\n")
    nights.write_night(nights.night)
    assert nights.run().row.standing == "quiet"


def test_a_feature_that_the_new_model_does_without(nights: Any) -> None:
    """It is in the log, and no longer in the reference."""
    without(nights, "price")
    watch = nights.watch()
    trained = window_between(date(2026, 5, 1), date(2026, 5, 2), "UTC")
    freeze(watch, "v1", trained, datetime(2026, 5, 9, tzinfo=UTC), reason="the new model knows no price")
    nights.file("sql/shop/requests.sql", f"SELECT * {LOG}")
    nights.write_night(nights.night)
    assert nights.run().row.standing == "quiet"
