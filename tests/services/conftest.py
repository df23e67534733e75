"""A home with one good service file, to be spoiled by each test in its own way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.home import Home

GOOD = """\
service: eta
owner: "@eta-team"
slack: "#eta-oncall"
source: ${ETA_URL}
requests: sql/eta/requests.sql
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "services").mkdir()
    (tmp_path / "sql" / "eta").mkdir(parents=True)
    (tmp_path / "sql" / "eta" / "requests.sql").write_text("SELECT 1\n", encoding="utf-8")
    (tmp_path / "sql" / "eta" / "feedback.sql").write_text("SELECT 2\n", encoding="utf-8")
    (tmp_path / "services" / "eta.yaml").write_text(GOOD, encoding="utf-8")
    return Home(root=tmp_path, state_url="", lake_url="", hash_key=b"")


@pytest.fixture
def write(home: Home) -> Callable[..., None]:
    """Write `eta.yaml`: the good file with lines added, or other text altogether."""

    def write(*, add: str = "", instead: str | bytes | None = None, name: str = "eta.yaml") -> None:
        text = GOOD + add if instead is None else instead
        (home.services / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write
