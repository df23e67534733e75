"""Slices in whatever order the service file names them, and one that it names no more: neither is a change."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring import bank, frozen
from monitoring.backtesting import history_of
from monitoring.bands import banded
from monitoring.compared import Nights
from monitoring.freeze import freeze
from monitoring.profile import from_parquet, slices_of, summarise
from monitoring.verdict import Judgement, judged_against
from services.window import window_between
from shop_changes import fail_half
from store.deployments import deployments_of
from store.state import reading

TRAINED = date(2026, 4, 26), date(2026, 5, 5)
NOW = datetime(2026, 5, 20, tzinfo=UTC)


def served(shop: Any, slices: str) -> None:
    """The service file with these slices."""
    file = shop.root / "services/shop.yaml"
    shop.file("services/shop.yaml", re.sub(r"slices: \[.*\]", f"slices: [{slices}]", file.read_text()))


def frozen_again(shop: Any, why: str) -> None:
    """A new reference of ten nights."""
    freeze(shop.watch(), "v1", window_between(*TRAINED, "UTC"), NOW, reason=why)


def test_the_order_of_slices_is_none_of_a_reference(nights: Any) -> None:
    """The reference's own nights lie as its profile does, which they add up to, and the first night is calm either way."""
    for slices in ("city, channel", "channel, city"):
        served(nights, slices)
        frozen_again(nights, slices)
        watch, found = nights.watch(), nights.run()
        reference = frozen.read(watch.lake, found.judged.reference_row.path)
        known = bank.bank_of(
            watch, nights.night, reference, found.judged.reference_row.path, reference.profile
        )

        assert known.reference_counts.sum(axis=0).tolist() == banded(known.layout, reference.profile).tolist()
        assert not [each for each in found.judged.moved if each.key.slice]


def test_a_slice_that_is_named_no_more_is_not_empty(nights: Any) -> None:
    """Taken out of the service file it is left out of the night, and of the nights before: no requests are missing."""
    served(nights, "city, channel")
    frozen_again(nights, "another slice")
    for day in nights.past[-8:]:
        nights.run(day)
    served(nights, "channel")
    found = nights.run()

    assert {each.slice.dimension for each in found.judged.findings} == {"", "channel"}
    assert not [each for each in found.judged.moved if each.key.measure == "volume"]
    assert found.judged.reference.slices.keys() == {"channel"}
    whole = frozen.read(nights.watch().lake, found.judged.reference_row.path)
    only = frozen.only(whole, {"channel"})
    args = nights.watch(), nights.night, only, found.judged.reference_row.path, only.profile
    known = bank.bank_of(*args, stored=slices_of(whole.slices))
    assert len(known.reference_nights) == 10
    assert known.reference_counts.sum(axis=0).tolist() == banded(known.layout, only.profile).tolist()


def test_a_night_with_fewer_slices_keeps_the_reference_s_own_nights(
    nights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taken out of the service file takes no night of the reference with it."""
    served(nights, "city, channel")
    frozen_again(nights, "another slice")
    served(nights, "channel")
    seen: list[Nights] = []

    def judged(service: Any, slices: Any, compared: Nights, holidays: Any = ()) -> Judgement:
        seen.append(compared)
        return judged_against(service, slices, compared, holidays)

    monkeypatch.setattr("monitoring.night.judged_against", judged)
    nights.run()

    assert [len(each.reference_dates) for each in seen] == [10]


def test_a_replay_knows_the_slices_of_the_service_file_alone(nights: Any) -> None:
    """What is replayed is laid out as the nights were judged, and has the reference's own nights."""
    served(nights, "city, channel")
    frozen_again(nights, "another slice")
    row = nights.run().judged.reference_row
    served(nights, "channel")
    history = history_of(nights.watch(), row)

    assert {each.dimension for each in history.slices} == {"", "channel"}
    assert history.counts.shape[1] == len(history.slices) == history.reference.shape[0]
    assert len(history.reference_dates) == 10


def test_a_slice_whose_column_is_null_has_lost_no_requests(nights: Any) -> None:
    """The night tells that the channel is null, and not that no request came from either of its values."""
    served(nights, "channel")
    frozen_again(nights, "another slice")
    for day in nights.past[-8:]:
        nights.run(day)

    def nameless(columns: dict[str, Any]) -> None:
        columns["channel"] = pa.nulls(len(columns["channel"]), pa.string())

    nights.write_night(nights.night, nameless)
    moved = {(each.key.measure, each.key.slice) for each in nights.run().judged.moved}

    assert ("null_share", "") in moved
    assert not [slot for measure, slot in moved if measure == "volume" and slot]


def test_counts_of_other_slices_are_left_out(frozen_shop: Any) -> None:
    """A profile with fewer slices than were counted has the same numbers in those that are left."""
    watch = frozen_shop.watch()
    judged = frozen_shop.run().judged
    cells = from_parquet(watch.lake.get(frozen_shop.run().row.profile_path))
    whole = summarise(cells, judged.grids, judged.reference.slices)
    fewer = summarise(cells, judged.grids, {})

    assert len(fewer.slices) == 1 < len(whole.slices)
    assert all(np.array_equal(fewer.counts[name], whole.counts[name][:1]) for name in judged.grids)
    assert frozen_shop.night - timedelta(days=1) in frozen_shop.past


def test_what_served_while_a_reference_was_made_is_not_new(frozen_shop: Any) -> None:
    """Freezing records what its nights were served by: on the first judged night nothing went live."""
    watch = frozen_shop.watch()
    with reading(watch.state) as connection:
        (known,) = deployments_of(connection, "shop")
    assert known.started_at.date() == date(2026, 5, 1)

    frozen_shop.write_night(frozen_shop.night, fail_half)
    frozen_shop.run()
    page = watch.lake.get(f"pages/shop/{frozen_shop.night}.html").decode()
    assert "went live" not in page
