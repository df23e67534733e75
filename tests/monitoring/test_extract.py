"""Which columns are features, how each is read, and which of a night's columns fit the reference."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from monitoring.extract import Layout, fit, layout
from services.errors import SourceError
from services.model import Features, Service
from store.grid import CategoryGrid, NumberGrid, Segment

NUMBER, WORD = NumberGrid((Segment(0.0, 1.0, 1),)), CategoryGrid(("a",))


def laid(
    columns: dict[str, str], slices: tuple[str, ...] = (), file: str = "sql/r.sql", **features: Any
) -> Layout:
    """The layout of a view that has these columns beside id and time."""
    service = Service.model_construct(
        service="shop",
        requests=PurePosixPath("sql/r.sql"),
        slices=slices,
        features=Features.model_validate(features),
    )
    return layout(service, {"request_id": "category", "time": "time", **columns}, file, "2013-06-24")


def test_columns_find_their_place() -> None:
    """Numbers and words are features, canonical columns are operations or nothing, ids and the rest are ignored."""
    found = laid({
        "price": "number", "city": "category", "hour": "number", "weekday": "category", "prediction": "number",
        "status": "category", "latency_ms": "category", "model_version": "category", "trace_url": "category",
        "answer": "category", "order_id": "category", "cpf": "category", "tags": "other", "seen_at": "time",
    })  # fmt: skip
    assert found.kinds == {"price": "number", "city": "category", "hour": "calendar", "weekday": "calendar"}
    assert found.operations == ("prediction", "status", "latency_ms")
    assert found.counted == ("price", "city", "hour", "weekday", "prediction", "status", "latency_ms")
    assert found.readings == {
        "request_id": "id", "time": "time", "price": "number", "city": "category", "hour": "number", "weekday": "category",
        "prediction": "number", "status": "category", "latency_ms": "parsed", "model_version": "category",
    }  # fmt: skip
    assert found.ignored == {
        "order_id": "looks_like_an_id", "cpf": "personal_data_cpf", "tags": "not_a_number_or_category",
        "seen_at": "not_a_number_or_category",
    }  # fmt: skip


def test_the_service_file_decides() -> None:
    """Only, not, calendar and types of the file go before what the source says."""
    columns = {"a": "number", "b": "category", "c": "number", "d": "category", "shop_id": "number"}
    found = laid(
        columns,
        **{"not": ["a"], "calendar": ["c"], "rules": {"b": {"type": "number"}, "d": {"type": "text"}}},
    )
    assert found.kinds == {"b": "number", "c": "calendar"}
    assert found.readings["b"] == "parsed"
    assert found.ignored == {"a": "left_out_by_service_file", "d": "text", "shop_id": "looks_like_an_id"}
    assert laid(columns, only=["shop_id", "a"]).kinds == {"a": "number", "shop_id": "number"}
    assert laid(columns, rules={"shop_id": {"type": "category"}}).kinds["shop_id"] == "category"


def test_a_slice_is_told_apart_by_value() -> None:
    """A dimension of numbers is read as words, or it would vanish; one that is only an id is read too."""
    found = laid(
        {"party": "number", "store_id": "number", "hour": "number"}, slices=("party", "store_id", "hour")
    )
    assert found.slices == ("party", "store_id", "hour")
    assert {name: found.readings[name] for name in found.slices} == dict.fromkeys(found.slices, "category")
    assert found.kinds == {"party": "category", "hour": "calendar"}


def test_an_operation_stays_a_number_when_it_is_sliced() -> None:
    """Its mean is still asked for."""
    assert laid({"prediction": "number"}, slices=("prediction",)).readings["prediction"] == "number"


def test_allowed_values_make_a_category() -> None:
    """A list of allowed values on a column of numbers is a rule that holds, not one that is passed over."""
    found = laid(
        {"stars": "number", "x": "number"}, rules={"stars": {"allowed": ["1", "2"]}, "x": {"min": 0}}
    )
    assert found.kinds == {"stars": "category", "x": "number"}
    assert found.readings["stars"] == "category"


def test_what_must_be_there() -> None:
    """A missing id, time, slice or named feature is told with the query, the night and what there is."""
    with pytest.raises(SourceError, match=r"shop, 2013-06-24: .*sql/r\.sql.*`city`"):
        laid({"price": "number"}, slices=("city",))
    with pytest.raises(SourceError, match="`price`"):
        laid({}, only=["price"])
    with pytest.raises(SourceError, match="`time`"):
        laid({"time": "category"})
    assert laid({}, slices=("city",), file="sql/training.sql").slices == ()


def test_a_night_fits_its_reference() -> None:
    """Columns that are gone, changed their type or are new are told; the rest are counted on the frozen grids."""
    found = laid(
        {
            "price": "number",
            "city": "category",
            "new": "number",
            "changed": "category",
            "latency_ms": "number",
        }
    )
    grids = {"price": NUMBER, "city": WORD, "changed": NUMBER, "gone": WORD, "latency_ms": NUMBER}
    usable, unfit = fit(found, grids)
    assert usable == {"price": NUMBER, "city": WORD, "latency_ms": NUMBER}
    assert unfit == {"changed": "changed_type", "gone": "missing_column", "new": "not_in_reference"}


def test_text_that_was_a_number_stays_comparable_when_declared() -> None:
    """A column declared a number is parsed, so it still fits the number's grid on a night that sent text."""
    found = laid({"price": "category"}, rules={"price": {"type": "number"}})
    assert fit(found, {"price": NUMBER}) == ({"price": NUMBER}, {})
