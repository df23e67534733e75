"""A wrong call, service file, source or log ends with a clear error and the right exit code, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from services.errors import NightError
from services.window import night_of

NIGHT = date(2026, 5, 10)


def nothing_written(shop: Any) -> bool:
    """Whether no night was recorded and no page or profile lies in the lake."""
    lake = shop.root / "var" / "lake"
    with shop.watch().state.connect() as connection:
        nights = connection.exec_driver_sql("SELECT count(*) FROM nights").scalar()
    return nights == 0 and not any((lake / part).exists() for part in ("pages/shop", "profiles", "snapshots"))


@pytest.mark.parametrize(
    ("environment", "file", "text", "expected"),
    [
        ({"SHOP_URL": "/nowhere/at/all"}, "", "", ["shop", "/nowhere/at/all", "does not exist"]),
        (
            {"SHOP_URL": "postgresql://ana:geheim@127.0.0.1:9/shop"},
            "",
            "",
            ["shop", "127.0.0.1:9/shop", "cannot be reached"],
        ),
        ({}, "sql/shop/requests.sql", "SELECT * FROM orders", ["shop", "sql/shop/requests.sql", "orders"]),
        (
            {},
            "sql/shop/requests.sql",
            "SELECT *, nope FROM requests",
            ["shop", "sql/shop/requests.sql", "nope"],
        ),
        (
            {},
            "sql/shop/requests.sql",
            "SELECT * EXCLUDE (time) FROM requests",
            ["shop", "2026-05-10", "`time`", "Add it"],
        ),
        (
            {},
            "sql/shop/requests.sql",
            "SELECT * REPLACE (CAST(time AS VARCHAR) AS time) FROM requests",
            ["`time`", "no timestamp"],
        ),
        (
            {},
            "sql/shop/requests.sql",
            "SELECT * EXCLUDE (city) FROM requests",
            ["`city`", "sql/shop/requests.sql"],
        ),
    ],
    ids=["no folder", "no server", "no table", "no column", "no time", "time as text", "no slice column"],
)
def test_a_source_that_is_not_as_declared(
    frozen_shop: Any,
    ronda: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    file: str,
    text: str,
    expected: list[str],
) -> None:
    """A source problem ends with code 2, names service, file or place, and writes nothing."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if file:
        frozen_shop.file(file, text)
    code, _, err = ronda("night", "shop", "--date", "2026-05-10")

    assert code == 2
    for words in expected:
        assert words in err
    assert "geheim" not in err
    assert "Traceback" not in err
    monkeypatch.setenv("SHOP_URL", str(frozen_shop.log))
    assert nothing_written(frozen_shop)


def test_a_typo_in_the_service_file(frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]) -> None:
    """An unknown key suggests the nearest known one, with file and key path, and ends with code 2."""
    frozen_shop.file(
        "services/shop.yaml", (frozen_shop.root / "services/shop.yaml").read_text() + "slcies: [city]\n"
    )
    code, _, err = ronda("night", "shop", "--date", "2026-05-10")

    assert code == 2
    assert "shop.yaml" in err
    assert "slcies" in err
    assert "slices" in err


def test_an_unknown_service(shop: Any, ronda: Callable[..., tuple[int, str, str]]) -> None:
    """A service without a file ends with code 2 and says which there are."""
    code, _, err = ronda("night", "shpo", "--date", "2026-05-10")
    assert code == 2
    assert "shop" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "--date"),
        (("--date", "2026-05-10", "--from", "2026-05-01"), "either --date"),
        (("--from", "2026-05-10"), "--to"),
        (("--from", "2026-05-10", "--to", "2026-05-01"), "before --from"),
    ],
)
def test_wrong_dates(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]], words: tuple[str, ...], expected: str
) -> None:
    """Unclear dates end with code 2 and say what to give."""
    code, _, err = ronda("night", "shop", *words)
    assert code == 2
    assert expected in err


def test_without_a_reference(shop: Any, ronda: Callable[..., tuple[int, str, str]]) -> None:
    """A night without a reference gives the command that makes one, with the version that served."""
    code, _, err = ronda("night", "shop", "--date", "2026-05-10")
    assert code == 2
    assert "ronda reference shop --model-version v1" in err
    assert nothing_written(shop)


def test_an_empty_night_is_told_and_the_next_still_runs(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """Of three nights the empty one is an error, the other two are judged, and the exit code is 1."""
    frozen_shop.write_night(NIGHT + timedelta(days=1), rows=0)
    frozen_shop.write_night(NIGHT + timedelta(days=2))
    code, out, err = ronda("night", "shop", "--from", "2026-05-10", "--to", "2026-05-12", "--json")
    told = json.loads(out)

    assert code == 1
    assert ["error" in night for night in told] == [False, True, False]
    assert "2026-05-11" in told[1]["error"]
    assert "no rows" in told[1]["error"]
    assert "2026-05-11" in err


def test_a_night_that_is_not_over(frozen_shop: Any) -> None:
    """A night is refused until it has ended, to the second."""
    night = night_of(NIGHT, "UTC")
    with pytest.raises(NightError, match="not over"):
        frozen_shop.run(at=night.end - timedelta(seconds=1))
    assert nothing_written(frozen_shop)
    assert frozen_shop.run(at=night.end).recorded.is_new


def test_a_file_that_is_no_database(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is no DuckDB database is told by its path, with exit code 2."""
    path = frozen_shop.root / "broken.duckdb"
    path.write_bytes(b"this is not a database" * 100)
    monkeypatch.setenv("SHOP_URL", str(path))
    code, _, err = ronda("night", "shop", "--date", "2026-05-10")
    assert code == 2
    assert str(path) in err
