"""The rules a row must keep to be judged, as the service file declares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.model import FeatureRule, Service
from services.slices import crosses
from store.statement import Reading, Rule


def rules(service: Service, readings: Mapping[str, Reading]) -> tuple[Rule, ...]:
    """Rules for the columns that are read, in the order of the service file.

    A row is quarantined under the reason of the first rule it breaks: `<feature>_missing`,
    `<feature>_wrong_type`, `<feature>_below_min`, `<feature>_above_max` or `<feature>_not_allowed`.
    """
    return tuple(
        rule
        for column, declared in service.features.rules.items()
        if column in readings and column not in crosses(service.slices)
        for rule in _of(column, declared, readings[column])
    )


def _of(column: str, declared: FeatureRule, reading: Reading) -> Iterator[Rule]:
    if declared.required:
        yield Rule(f"{column}_missing", column, "missing")
    if reading == "parsed":
        yield Rule(f"{column}_wrong_type", column, "wrong_type")
    if reading in {"number", "parsed"} and declared.min is not None:
        yield Rule(f"{column}_below_min", column, "below", declared.min)
    if reading in {"number", "parsed"} and declared.max is not None:
        yield Rule(f"{column}_above_max", column, "above", declared.max)
    if reading == "category" and declared.allowed is not None:
        yield Rule(f"{column}_not_allowed", column, "not_allowed", declared.allowed)
