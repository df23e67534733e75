"""What a hostile reviewer tried on whole nights, and what must be held."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import store.count
from services.errors import NightError
from store.statement import Selection, marked

CPF, MAIL = "52998224725", "ana.souza@example.com"


def at_rest(root: Path) -> str:
    """State, pages and profiles as one text."""
    parts = [
        path.read_bytes() for path in (root / "var").rglob("*") if path.is_file() and path.suffix != ".key"
    ]
    return b"\n".join(parts).decode("utf-8", errors="replace")


def test_a_row_lost_on_the_way_stops_the_night(frozen_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted by a statement of their own, so one that the counting drops is missed at once."""

    def dropping(selection: Selection) -> Any:
        rows = marked(selection).subquery("rows")
        return sa.select(*rows.c).where(rows.c.request_id.not_like("%7"))

    monkeypatch.setattr(store.count, "marked", dropping)
    with pytest.raises(
        NightError, match=r"shop, 2026-05-10 to 2026-05-10: 1200 rows were read, but 1080 are accounted"
    ):
        frozen_shop.run()


def test_personal_ids_and_versions_are_not_shown(frozen_shop: Any) -> None:
    """Quarantined ids and deployment columns that are or hold personal data are hashed or masked, in state and page."""

    def plant(columns: dict[str, Any]) -> None:
        ids = [CPF, MAIL, f"order for {MAIL} #1"]
        columns["request_id"][:3] = columns["request_id"][3:6] = ids
        columns["variant"] = [CPF] * 1200
        columns["author"] = [MAIL] * 1200

    frozen_shop.write_night(frozen_shop.night, plant)
    written = frozen_shop.run()
    assert written.judged.counted.reasons["request_id_duplicated"] == 3
    kept = at_rest(frozen_shop.root)
    assert "hashed_" in kept
    assert [value for value in (CPF, MAIL) if value in kept] == []


def test_a_column_named_by_personal_data_is_left_out(frozen_shop: Any) -> None:
    """A column whose very name is an e-mail is neither counted nor named."""
    frozen_shop.write_night(frozen_shop.night, lambda columns: columns.update({MAIL: columns["price"]}))
    written = frozen_shop.run()
    assert written.judged.ignored["masked_e_mail"] == "personal_data_in_the_name"
    assert MAIL not in at_rest(frozen_shop.root)


def test_a_night_with_every_row_set_aside(frozen_shop: Any) -> None:
    """Then the page says to check the data first."""

    def no_ids(columns: dict[str, Any]) -> None:
        columns["request_id"] = [""] * 1200

    frozen_shop.write_night(frozen_shop.night, no_ids)
    row = frozen_shop.run().row
    assert (row.rows_read, row.rows_kept, row.standing) == (1200, 0, "data")


def test_a_page_of_a_killed_run_is_mended(frozen_shop: Any) -> None:
    """Whatever stands under the page's name is replaced when it is not what the state recorded."""
    page = frozen_shop.root / "var/lake" / frozen_shop.run().row.page_path
    before = page.read_bytes()
    page.write_text("another night")
    assert frozen_shop.run().recorded.is_new is False
    assert page.read_bytes() == before


def test_a_revision_names_the_columns_that_changed(frozen_shop: Any) -> None:
    """With as many rows as before, the revision says whose values are others."""
    frozen_shop.run()
    frozen_shop.write_night(frozen_shop.night, lambda columns: columns.update(price=columns["price"] * 3))
    assert frozen_shop.run().row.changed == "other values of price"


def test_a_slice_of_many_values_and_one_that_is_new(shop: Any) -> None:
    """A declared slice keeps its most frequent values; one declared after the reference is told as not looked at."""
    for day in shop.tables["requests"]:
        shop.write_night(day, lambda columns: columns.update(city=[f"c{n}" for n in range(1200)]))
    shop.freeze()
    assert len(shop.run().judged.reference.slices["city"].values) == 200
    shop.file(
        "services/shop.yaml",
        (shop.root / "services/shop.yaml").read_text().replace("[city]", "[city, channel]"),
    )
    assert shop.run().judged.ignored["channel"] == "slice_not_in_reference"


def test_a_version_without_a_reference_is_told(frozen_shop: Any) -> None:
    """The page says that it compares with another version's reference."""
    frozen_shop.write_night(frozen_shop.night, lambda columns: columns.update(model_version=["v9"] * 1200))
    page = frozen_shop.root / "var/lake" / frozen_shop.run().row.page_path
    assert "v9, which served this night, has no reference of its own" in page.read_text()


def test_a_night_in_the_future_is_refused_by_its_own_name(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """Neither an older cohort nor a traceback is spoken of; dates beyond the calendar are refused as usage."""
    code, out, err = ronda("night", "shop", "--date", "2199-01-01", "--json")
    assert code == 1
    assert "2199-01-01: this night is not over" in err
    assert json.loads(out)[0]["kind"] == "NightNotOverError"
    assert ronda("night", "shop", "--date", "9999-12-31")[0] == 2


def test_a_password_without_a_host_is_not_shown(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL cut short before its @ is an address that may be a password."""
    monkeypatch.setenv("SHOP_URL", "postgresql://bob:S3cr3tPW")
    code, out, err = ronda("night", "shop", "--date", "2026-05-10", "--json")
    assert code == 2
    assert "S3cr3tPW" not in out + err
