"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.spans import parse_span


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        (" 24 h ", timedelta(hours=24)),
        ("14d", timedelta(days=14)),
        ("2w", timedelta(weeks=2)),
        (timedelta(days=3), timedelta(days=3)),
    ],
)
def test_spans(written: object, length: timedelta) -> None:
    """A whole number and its unit, spaces apart or not; a length of time stays what it is."""
    assert parse_span(written) == length


@pytest.mark.parametrize(
    "written", ["", "24", 24, "0d", "-1d", "1.5h", "1D", "1y", "d", "1d2h", "9999999d", None, "１d"]
)
def test_other_text_is_refused(written: object) -> None:
    """No unit, zero, a fraction, another unit: the message says how to write it and what was found."""
    with pytest.raises(ValueError, match="such as 24h or 14d; found"):
        parse_span(written)
