"""The rules a service file declares, as the statement will hold rows against them."""

from __future__ import annotations

from typing import Any

from monitoring.validate import rules
from services.model import Features, Service
from store.statement import Reading, Rule


def declared(readings: dict[str, Reading], **given: dict[str, Any]) -> list[Rule]:
    """The rules of a service file that says this of its features."""
    features = Features.model_validate({"rules": given})
    return list(rules(Service.model_construct(features=features), readings))


def test_every_rule_in_order() -> None:
    """Required, type, range, allowed: the first that breaks names the row's reason."""
    every: dict[str, Any] = {"required": True, "min": 0, "max": 9.5, "allowed": ["a", "b"]}
    assert declared({"x": "parsed"}, x=every) == [
        Rule("x_missing", "x", "missing"), Rule("x_wrong_type", "x", "wrong_type"),
        Rule("x_below_min", "x", "below", 0.0), Rule("x_above_max", "x", "above", 9.5),
    ]  # fmt: skip
    assert [r.reason for r in declared({"x": "number"}, x=every)] == [
        "x_missing",
        "x_below_min",
        "x_above_max",
    ]
    assert declared({"x": "category"}, x=every) == [
        Rule("x_missing", "x", "missing"), Rule("x_not_allowed", "x", "not_allowed", ("a", "b")),
    ]  # fmt: skip


def test_only_columns_that_are_read_have_rules() -> None:
    """A feature the view does not have is told elsewhere; a bound of 0 is a bound."""
    assert declared({"y": "number"}, x={"required": True}, y={"min": 0}) == [
        Rule("y_below_min", "y", "below", 0.0)
    ]
    assert declared({"x": "number"}, x={"unit": "km"}) == []


def test_features_keep_the_order_of_the_file() -> None:
    """Which of two broken features names the row does not depend on the query's columns."""
    found = declared({"a": "number", "b": "number"}, b={"min": 0}, a={"min": 0})
    assert [rule.column for rule in found] == ["b", "a"]
