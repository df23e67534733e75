"""Which columns of a service's view are counted, and how each is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.records import Kind
from services.columns import (
    DEPLOYMENT_COLUMNS,
    OPERATION_NUMBERS,
    REQUEST_COLUMNS,
    REQUIRED_REQUEST_COLUMNS,
    require,
)
from services.model import Service
from services.personal import could_be_personal, looks_personal_name, placeholder
from services.slices import crosses, parts_of
from store.grid import CategoryGrid, Grid
from store.statement import Reading

CALENDAR = frozenset({
    "hour", "hour_of_day", "weekday", "day_of_week", "dow", "day", "day_of_month", "week", "month", "quarter", "year",
    "is_weekend", "is_holiday",
})  # fmt: skip
"""Names that say when a request came. They move every night and are never judged."""

OPERATIONS = ("prediction", "status", *OPERATION_NUMBERS)
"""Canonical columns that are counted beside the features."""


@dataclass(frozen=True)
class Layout:
    """The columns of one view, sorted by what they are for.

    Attributes:
        readings: every column that is read -> how, crosses among them.
        kinds: feature -> number, category or calendar.
        operations: the counted columns that are not features.
        slices: the dimensions that are there; a cross is if all its columns are.
        ignored: column -> why it is not a feature, as a snake-case word.
    """

    readings: Mapping[str, Reading]
    kinds: Mapping[str, Kind]
    operations: tuple[str, ...]
    slices: tuple[str, ...]
    ignored: Mapping[str, str]

    @property
    def counted(self) -> tuple[str, ...]:
        """Features, then operations."""
        return (*self.kinds, *self.operations)

    @property
    def crosses(self) -> dict[str, tuple[str, ...]]:
        """Cross -> the columns it is made of: what a `Selection` needs to read it."""
        return crosses(self.slices)


def layout(service: Service, columns: Mapping[str, str], file: str, nights: str) -> Layout:
    """Sort the columns of a requests view.

    Args:
        columns: column -> `number`, `category`, `time` or `other`, as the source describes them.
        file, nights: the query and the nights that are being read, for messages.

    Raises:
        SourceError: a required column, or a column the service file names, is missing.
    """
    # the training pipeline's view need not have the dimensions, nor every feature
    dimensions = dict.fromkeys(part for name in service.slices for part in parts_of(name))
    named = (*dimensions, *(service.features.only or ())) if file == str(service.requests) else ()
    require(service.service, nights, file, columns, (*REQUIRED_REQUEST_COLUMNS, *named))
    kinds: dict[str, Kind] = {}
    ignored: dict[str, str] = {}
    for name, found in columns.items():
        if name in REQUEST_COLUMNS:
            continue
        reason = _why_not(service, name, found)
        kind = could_be_personal(name)
        if kind:
            ignored[placeholder(kind)] = "personal_data_in_the_name"
        elif name.startswith("ronda_") or name in crosses(service.slices):
            ignored[name] = "reserved_name"
        elif reason:
            ignored[name] = reason
        else:
            kinds[name] = _kind(service, name, found)
    slices = tuple(name for name in service.slices if all(part in columns for part in parts_of(name)))
    operations = tuple(name for name in OPERATIONS if columns.get(name) in {"number", "category"})
    readings: dict[str, Reading] = {"request_id": "id", "time": "time"}
    readings |= {name: _reading(kind, columns[name]) for name, kind in kinds.items()}
    readings |= {
        name: "category" if name == "status" else _reading("number", columns[name]) for name in operations
    }
    readings |= {
        name: "category"
        for name in (*slices, *DEPLOYMENT_COLUMNS)
        if name in columns and (name not in readings or name in kinds)
    }
    readings |= dict.fromkeys(crosses(slices), "category")
    return Layout(readings, kinds, operations, slices, ignored)


def fit(layout: Layout, grids: Mapping[str, Grid]) -> tuple[dict[str, Grid], dict[str, str]]:
    """Match a night's columns with the reference's frozen grids.

    Returns:
        The grids of the columns that can be counted, and column -> reason for those that cannot:
        `missing_column`, `changed_type`, or `not_in_reference` for a column that is new.
    """
    usable: dict[str, Grid] = {}
    not_computed: dict[str, str] = {}
    for name, grid in grids.items():
        if name not in layout.counted:
            not_computed[name] = "missing_column"
        elif isinstance(grid, CategoryGrid) != (layout.readings[name] == "category"):
            not_computed[name] = "changed_type"
        else:
            usable[name] = grid
    not_computed |= {name: "not_in_reference" for name in layout.kinds if name not in grids}
    return usable, not_computed


def _why_not(service: Service, name: str, found: str) -> str:
    rule = service.rule(name)
    features = service.features
    if features.leave_out(name):
        return "left_out_by_service_file"
    if rule.type == "text":
        return "text"
    hit = looks_personal_name(name)
    if hit:
        return hit.reason
    if found not in {"number", "category"}:
        return "not_a_number_or_category"
    if (name == "id" or name.endswith("_id")) and name not in (features.only or ()) and rule.type is None:
        return "looks_like_an_id"
    return ""


def _kind(service: Service, name: str, found: str) -> Kind:
    declared = service.rule(name).type
    if declared == "calendar" or name in service.features.calendar or name.lower() in CALENDAR:
        return "calendar"
    if declared in {"number", "category"}:
        return "number" if declared == "number" else "category"
    # slices are told apart by value, and a list of allowed values is one of categories
    if name in service.slices or service.rule(name).allowed is not None:
        return "category"
    return "number" if found == "number" else "category"


def _reading(kind: Kind, found: str) -> Reading:
    if kind == "calendar":
        return "number" if found == "number" else "category"
    if kind == "number":
        return "number" if found == "number" else "parsed"
    return "category"
