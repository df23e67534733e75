"""The nights that a night is compared with, as dense arrays: where they are kept, and how they are found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

import numpy as np
import numpy.typing as npt

from monitoring import bands, frozen
from monitoring.bands import Bands
from monitoring.frozen import Frozen
from monitoring.profile import from_parquet, summarise
from monitoring.records import Profile, Slice
from services.model import Service
from store.lake import Lake
from store.ledger import NightRow, nights_since
from store.references import references_of
from store.state import reading
from store.watch import Watch

Dense = npt.NDArray[np.int32]

NIGHTS = 56
"""Eight weeks: eight nights of each weekday."""


@dataclass(frozen=True)
class Bank:
    """Nights that lie before the one that is judged.

    Attributes:
        layout: the bands that the last axis is made of, side by side.
        nights: their dates, rising.
        counts: shape (nights, slices, bands).
        reference_nights, reference_counts: those of the reference itself; there may be none.
    """

    layout: tuple[Bands, ...]
    nights: tuple[date, ...]
    counts: Dense
    reference_nights: tuple[date, ...]
    reference_counts: Dense


def layout_of(service: Service, reference: Frozen, profile: Profile) -> tuple[Bands, ...]:
    """The bands of what is judged: every feature but those of the calendar, and the prediction."""
    judged = {name: kind for name, kind in reference.kinds.items() if kind != "calendar"}
    if "prediction" in reference.grids:
        judged["prediction"] = "number"
    return bands.layout_of(profile, reference.grids, judged, frozenset(service.status_ok))


def path_of(service: str, row_profile: str, name: str) -> str:
    """Where the bands of a night are kept: beside its profile, whose name says its content."""
    stem = row_profile.rpartition("/")[2].removesuffix(".parquet")
    return f"bank/{service}/{stem}-{name}.npy"


def to_bytes(dense: Dense) -> bytes:
    """A dense array as a .npy file."""
    out = BytesIO()
    np.save(out, dense, allow_pickle=False)
    return out.getvalue()


def from_bytes(data: bytes) -> Dense:
    """The array that `to_bytes` wrote; nothing in the file is executed."""
    found: Dense = np.load(BytesIO(data), allow_pickle=False)
    return found


def bank_of(
    watch: Watch,
    night: date,
    reference: Frozen,
    folder: str,
    before: Profile,
    back: int = NIGHTS,
    stored: Sequence[Slice] | None = None,
) -> Bank:
    """Read what a night is compared with.

    Nights that were judged on other grids are left out: their cells are not ours.

    Args:
        reference: what the night is compared with, and `folder`, its place in the lake.
        before: its profile.
        back: how many nights are read.
        stored: the slices that the reference in the lake has, where `reference` has fewer.
    """
    layout = layout_of(watch.service, reference, before)
    name = bands.name_of(layout, before.slices)
    frozen_nights, frozen_counts = frozen_of(watch.lake, folder, layout, before.slices, stored)
    with reading(watch.state) as connection:
        rows = nights_since(connection, watch.service.service, night - timedelta(days=back), night)
        of = {row.id: row.path for row in references_of(connection, watch.service.service)}
    paths = {row.reference_id: of[row.reference_id] for row in rows}
    same = {key for key, path in paths.items() if path == folder or _same_grids(watch.lake, path, reference)}
    known: dict[date, Dense] = {}
    if watch.service.training is None:  # else the reference holds what the training pipeline has, not the log
        known |= {
            day: counts
            for day, counts in zip(frozen_nights, frozen_counts, strict=True)
            if night - timedelta(days=back) <= day < night
        }
    for row in rows:
        if row.reference_id in same:
            known[row.night] = _night(watch.lake, watch.service.service, row, name, layout, reference)
    days = tuple(sorted(known))
    empty = np.zeros((0, len(before.slices), sum(each.size for each in layout)), dtype=np.int32)
    counts = np.stack([known[day] for day in days]) if days else empty
    return Bank(layout, days, counts, frozen_nights, frozen_counts)


def frozen_of(
    lake: Lake,
    folder: str,
    layout: tuple[Bands, ...],
    slices: Sequence[Slice],
    stored: Sequence[Slice] | None = None,
) -> tuple[tuple[date, ...], Dense]:
    """The reference's own nights; none where it was frozen before they were kept.

    Args:
        slices: what the second axis is wanted to be.
        stored: what it is in the lake, if it is more.
    """
    kept = slices if stored is None else stored
    path = f"{folder}/nights-{bands.name_of(layout, kept)}.npy"
    if not lake.exists(path):
        return (), np.zeros((0, len(slices), sum(each.size for each in layout)), dtype=np.int32)
    days = lake.get(f"{folder}/nights.txt").decode().split()
    places = [list(kept).index(each) for each in slices]
    return tuple(date.fromisoformat(day) for day in days), from_bytes(lake.get(path))[:, places]


def keep_reference(
    lake: Lake,
    folder: str,
    layout: tuple[Bands, ...],
    slices: Sequence[Slice],
    nights: Mapping[date, Dense],
) -> None:
    """Keep a reference's own nights beside it."""
    if not nights:
        return
    days = sorted(nights)
    name = bands.name_of(layout, slices)
    lake.put(f"{folder}/nights.txt", "".join(f"{day}\n" for day in days).encode())
    lake.put(f"{folder}/nights-{name}.npy", to_bytes(np.stack([nights[day] for day in days])))


def keep(watch: Watch, profile_path: str, layout: Sequence[Bands], current: Profile) -> None:
    """Keep a night's bands, so that the nights after it need not lay its profile out again."""
    name = bands.name_of(tuple(layout), current.slices)
    dense = bands.banded(tuple(layout), current)
    watch.lake.put(path_of(watch.service.service, profile_path, name), to_bytes(dense))


def _night(
    lake: Lake, service: str, row: NightRow, name: str, layout: tuple[Bands, ...], reference: Frozen
) -> Dense:
    path = path_of(service, row.profile_path, name)
    if lake.exists(path):
        return from_bytes(lake.get(path))
    cells = from_parquet(lake.get(row.profile_path))
    return bands.banded(layout, summarise(cells, reference.grids, reference.slices))


def _same_grids(lake: Lake, path: str, reference: Frozen) -> bool:
    other = frozen.read(lake, path)
    same = all(other.slices.get(name) == grid for name, grid in reference.slices.items())
    return dict(other.grids) == dict(reference.grids) and same
