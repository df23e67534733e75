"""What the documentation says is held to the code."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from services.columns import FEEDBACK_COLUMNS, REQUEST_COLUMNS
from services.model import Service

ROOT = Path(__file__).resolve().parents[2]
SERVICE_FILE = (ROOT / "docs" / "service-file.md").read_text(encoding="utf-8")


def keys(section: type[BaseModel]) -> set[str]:
    """Every key of a section and of those inside it, by its own name."""
    found: set[str] = set()
    for name, field in section.model_fields.items():
        found.add(field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= keys(field.annotation)
    return found


def test_every_key_of_the_service_file_is_documented() -> None:
    """No key can be added to the model without a word on it."""
    wanted = keys(Service)
    assert {"service", "floors", "number", "not", "retention"} <= wanted
    named = {
        key for key in wanted if any(form in SERVICE_FILE for form in (f"`{key}`", f".{key}`", f"`{key}."))
    }
    assert wanted - named == set()


@pytest.mark.parametrize("columns", [REQUEST_COLUMNS, FEEDBACK_COLUMNS], ids=["requests", "feedback"])
def test_every_canonical_column_is_documented(columns: dict[str, str]) -> None:
    """Every column that the views may yield stands in the reference."""
    assert {name for name in columns if f"`{name}`" not in SERVICE_FILE} == set()


def test_the_example_is_the_shipped_service_file() -> None:
    """The first example reads like the service file of the demo, and has at most 12 lines."""
    example = yaml.safe_load(SERVICE_FILE.split("```yaml\n")[1].split("```")[0])
    shipped = yaml.safe_load((ROOT / "services" / "flight_delay.yaml").read_text(encoding="utf-8"))
    assert len(example) <= 12
    assert {key: shipped[key] for key in example if key not in {"outcome", "features"}} == {
        key: value for key, value in example.items() if key not in {"outcome", "features"}
    }


def test_every_verb_of_the_command_line_is_in_the_readme() -> None:
    """A command that the README does not name is one nobody finds."""
    from ronda.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert {"night", "reference", "release"} <= names
    assert {name for name in names if f"ronda {name}" not in readme} == set()
