"""The service file that `ronda init` writes: short, true, and with every setting in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from ronda.starter_file import service_file
from services.home import Home
from services.model import Service
from services.problems import known_keys
from services.read import read_service

Write = Callable[[Any], str]


def test_at_most_twelve_lines_count(in_parquet: Write, good: Any, home: Home, begun: Any) -> None:
    """A first service file has at most twelve lines that are no comment."""
    begun(in_parquet(good))
    lines = (home.services / "eta.yaml").read_text().splitlines()

    assert 8 <= sum(bool(line.strip()) and not line.startswith("#") for line in lines) <= 12


def all_keys(location: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key in known_keys(location):
        below = (*location, key, "any") if key in {"rules", "guards"} else (*location, key)
        yield (*location, key)
        yield from all_keys(below)


def test_every_setting_is_mentioned() -> None:
    """The comments name every key of the model, those inside sections too, and what they say is true."""
    text = service_file({"service": "eta", "owner": "@x"}, "requests")
    keys = list(all_keys())
    assert len(keys) > 40
    assert ("features", "rules", "floor") not in keys
    assert ("features", "rules", "any", "floor") in keys
    assert {("guards", "any", "worse"), ("planned", "from"), ("planned", "holiday"), ("budget",)} <= set(keys)

    assert [key for key in keys if f"{key[-1]}: " not in text and f"{key[-1]}:\n" not in text] == []


def test_the_comments_can_be_switched_on(in_parquet: Write, good: Any, home: Home, begun: Any) -> None:
    """With every # taken away but those of headings, the file is still a service that reads."""
    begun(in_parquet(good))
    for query in ("training", "paid"):
        (home.root / "sql" / "eta" / f"{query}.sql").write_text("SELECT 1")
    file = home.services / "eta.yaml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line.removeprefix("# ") for line in lines[1:] if not line.startswith("# ---")))
    service = read_service("eta", home)

    assert service.training is not None
    assert service.outcome is not None
    assert service.outcome.event == "thumb"
    assert service.features.rules["a_column"].floor == 0.2
    assert service.guards["paid"].floor == 0.02
    assert service.planned[0].what == "Black Friday"


def test_the_defaults_in_comments_are_the_defaults(
    in_parquet: Write, good: Any, home: Home, begun: Any
) -> None:
    """Nothing changes when the second part, what is so anyway, is switched on."""
    begun(in_parquet(good))
    before = read_service("eta", home)
    file = home.services / "eta.yaml"
    head, _, tail = file.read_text().partition("# --- As it is")
    on = [line.removeprefix("# ") for line in tail.splitlines()[1:]]
    assert len(on) > 8
    file.write_text(head + "\n".join(on))

    assert read_service("eta", home) == before


def test_a_section_that_is_new_in_the_model_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key without a prepared example is written with its default."""
    from pydantic.fields import FieldInfo

    field = FieldInfo(annotation=str, default="quiet")
    monkeypatch.setitem(Service.model_fields, "night_mode", field)

    assert "\n# night_mode: quiet\n" in service_file({"service": "eta"}, "requests")


def test_yaml_of_hostile_words(good: Any) -> None:
    """Whatever an event or a table is called, the file holds no second line of it."""
    text = service_file({"service": "eta", "slices": ["a: b", "x\n# y", "é"]}, "t\nowner: me", "e\nslack: x")
    read = yaml.safe_load(text)

    assert read == {"service": "eta", "slices": ["a: b", "x\n# y", "é"]}
    assert issubclass(Service, BaseModel)
