"""A reference at rest: its grids and its profile in the lake, found through its row in the state."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from monitoring.profile import from_parquet, summarise, to_parquet
from monitoring.records import Kind, Profile
from store.canonical import canonical_json, sha256_of, sha256_rows
from store.grid import CategoryGrid, Grid, grid_from_plain, grid_to_plain
from store.lake import Lake


@dataclass(frozen=True)
class Frozen:
    """The reference a night is compared with.

    Attributes:
        grids: counted column -> grid; features and operations.
        kinds: feature -> number, category or calendar.
        slices: dimension -> grid.
        ignored: column -> why it was not counted.
        cells: the counts in long form (`store.count.CELLS`).
    """

    grids: Mapping[str, Grid]
    kinds: Mapping[str, Kind]
    slices: Mapping[str, CategoryGrid]
    ignored: Mapping[str, str]
    cells: pa.Table

    @cached_property
    def profile(self) -> Profile:
        """The counts, laid out densely."""
        return summarise(self.cells, self.grids, self.slices)

    @property
    def content_sha(self) -> str:
        """The hash of all that the reference holds."""
        return sha256_of({"choice": _plain(self), "cells": sha256_rows(self.cells)})


def only(reference: Frozen, slices: Collection[str]) -> Frozen:
    """The reference with no other slices than these: one that is not counted any more is not empty, it is unknown."""
    return replace(
        reference, slices={name: grid for name, grid in reference.slices.items() if name in slices}
    )


def write(lake: Lake, service: str, frozen: Frozen) -> str:
    """Store a reference under its content; returns its folder in the lake."""
    folder = f"references/{service}/{frozen.content_sha[:16]}"
    lake.put(f"{folder}/grids.json", canonical_json(_plain(frozen)))
    lake.put(f"{folder}/profile.parquet", to_parquet(frozen.cells))
    return folder


def read(lake: Lake, folder: str) -> Frozen:
    """The reference that `write` stored in `folder`."""
    plain = json.loads(lake.get(f"{folder}/grids.json"))
    slices = {name: grid_from_plain(grid) for name, grid in plain["slices"].items()}
    return Frozen(
        grids={name: grid_from_plain(grid) for name, grid in plain["grids"].items()},
        kinds=plain["kinds"],
        slices={name: grid for name, grid in slices.items() if isinstance(grid, CategoryGrid)},
        ignored=plain["ignored"],
        cells=from_parquet(lake.get(f"{folder}/profile.parquet")),
    )


def _plain(frozen: Frozen) -> dict[str, Any]:
    return {
        "grids": {name: grid_to_plain(grid) for name, grid in frozen.grids.items()},
        "kinds": dict(frozen.kinds),
        "slices": {name: grid_to_plain(grid) for name, grid in frozen.slices.items()},
        "ignored": dict(frozen.ignored),
    }
