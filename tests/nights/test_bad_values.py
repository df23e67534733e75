"""Odd values and columns get a clear finding, are counted, and stop no night."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from monitoring.records import ALL_ROWS, Finding

NIGHT = date(2026, 5, 10)


def overall(findings: tuple[Finding, ...], feature: str, measure: str = "distribution") -> Finding:
    """The finding about a feature over all rows."""
    return next(f for f in findings if (f.feature, f.measure, f.slice) == (feature, measure, ALL_ROWS))


def test_repeated_ids_are_quarantined_once_each(frozen_shop: Any) -> None:
    """Of two rows with one id the earlier is kept; read = kept + quarantined."""

    def repeat(columns: dict[str, Any]) -> None:
        columns["request_id"][10:20] = columns["request_id"][:10]

    frozen_shop.write_night(NIGHT, repeat)
    written = frozen_shop.run()
    assert written.judged.counted.reasons == {"kept": 1190, "request_id_duplicated": 10}
    assert written.row.rows_read == 1200
    assert len(written.judged.counted.quarantine["request_id_duplicated"]) == 10


def test_all_null_and_constant_features(frozen_shop: Any) -> None:
    """A feature that is all null is not computed, with a null share that moved; a constant one is drifted."""

    def break_two(columns: dict[str, Any]) -> None:
        columns["price"] = pa.nulls(1200, pa.float64())
        columns["eta_min"] = [30.0] * 1200

    frozen_shop.write_night(NIGHT, break_two)
    findings = frozen_shop.run().judged.findings
    assert (overall(findings, "price").verdict, overall(findings, "price").reason) == (
        "not_computed",
        "all_null",
    )
    assert overall(findings, "price", "null_share").verdict == "drifted"
    assert overall(findings, "eta_min").verdict == "drifted"


def test_a_constant_reference_comes_alive(shop: Any) -> None:
    """A number that never moved in the reference has no deviation; rows that leave its cell are told as a share."""

    def constant(columns: dict[str, Any]) -> None:
        columns["items"] = [3] * len(columns["items"])

    for day in sorted(shop.tables["requests"])[:2]:
        shop.write_night(day, constant)
    shop.freeze()
    finding = overall(shop.run().judged.findings, "items")
    assert (finding.verdict, finding.unit) == ("drifted", "share")
    assert finding.effect == pytest.approx(0.8, abs=0.08)


def test_a_column_that_disappears_or_changes_its_type(frozen_shop: Any) -> None:
    """A missing column and one that became text are not computed, by name; the rest of the night is judged."""

    def change(columns: dict[str, Any]) -> None:
        del columns["price"]
        columns["eta_min"] = [f"{value:.1f} min" for value in columns["eta_min"]]

    frozen_shop.write_night(NIGHT, change)
    findings = frozen_shop.run().judged.findings
    assert overall(findings, "price").reason == "missing_column"
    assert overall(findings, "eta_min").reason == "changed_type"
    assert overall(findings, "items").verdict == "stable"


def test_numbers_no_engine_likes(frozen_shop: Any) -> None:
    """1e308, NaN and infinities have cells of their own, raise nowhere, and are told as out of range."""

    def extremes(columns: dict[str, Any]) -> None:
        columns["price"][:200] = np.tile([1e308, -1e308, np.nan, np.inf, -np.inf, 5e-324, -0.0, 1e300], 25)

    frozen_shop.write_night(NIGHT, extremes)
    written = frozen_shop.run()
    finding = overall(written.judged.findings, "price", "beyond_share")
    assert finding.verdict == "drifted"
    assert finding.current_value == pytest.approx(150 / 1200)
    assert written.judged.current.counts["price"][0].sum() == 1200


def test_a_category_with_a_hundred_thousand_values(shop: Any) -> None:
    """Undeclared it is left out as no category; declared, it keeps 200 values and the rest is `other`."""
    day = min(shop.tables["requests"])

    def many(columns: dict[str, Any]) -> None:
        columns["coupon"] = [f"c{n if n > 1000 else n % 50}" for n in range(100_000)]

    shop.write_night(day, many, rows=100_000)
    shop.write_night(sorted(shop.tables["requests"])[1], lambda columns: columns.update(coupon=["c1"] * 1200))
    shop.write_night(NIGHT, lambda columns: columns.update(coupon=[f"new{n}" for n in range(1200)]))
    shop.freeze()
    assert shop.run().judged.reference.ignored["coupon"] == "too_many_values"

    with_rule = (
        shop.root / "services/shop.yaml"
    ).read_text() + "features: {rules: {coupon: {type: category}}}\n"
    shop.file("services/shop.yaml", with_rule)
    shop.file("var/.keep", "")
    shop.monkeypatch.setenv("RONDA_STATE", f"sqlite:///{shop.root}/other.db")
    shop.freeze()
    written = shop.run()
    grid = written.judged.grids["coupon"]
    assert (len(grid.values), grid.complete) == (200, False)
    assert overall(written.judged.findings, "coupon", "unseen_share").current_value == 1.0


def test_hostile_text_stays_text(shop: Any) -> None:
    """Markup, quotes, SQL and template signs in values and column names arrive on the page as text."""
    hostile = [
        "</script><script>alert(1)</script>",
        "'; DROP TABLE nights; --",
        '"><img src=x onerror=alert(2)>',
        "{{7*7}}{start}%s$1",
    ]

    def attack(columns: dict[str, Any]) -> None:
        columns["channel"] = [hostile[n % 4] for n in range(1200)]
        columns["<b>bold</b>'\"; --"] = columns["eta_min"]
        columns["request_id"][:2] = columns["request_id"][2:4] = ["<u>'\"--", "<u>'\"--"]

    for day in sorted(shop.tables["requests"]):
        shop.write_night(day, attack)
    shop.freeze()
    written = shop.run()
    page = (shop.root / "var/lake" / written.row.page_path).read_text()
    assert overall(written.judged.findings, "channel").verdict == "stable"
    assert overall(written.judged.findings, "<b>bold</b>'\"; --").verdict == "stable"
    for sign in ("<script", "<img", "<b>bold", "<u>", "onerror=alert(2)>"):
        assert sign not in page
    assert "&lt;b&gt;bold" in page


def test_the_same_night_from_three_kinds_of_source(frozen_shop: Any, postgres_database: str) -> None:
    """Parquet, a DuckDB file and PostgreSQL give the same cells, findings and identity."""
    path = frozen_shop.root / "shop.duckdb"
    from_folder = frozen_shop.run()
    requests = pa.concat_tables(list(frozen_shop.tables["requests"].values()))
    feedback = pa.concat_tables(list(frozen_shop.tables["feedback"].values()))
    with duckdb.connect(str(path)) as connection:
        connection.register("r", requests)
        connection.register("f", feedback)
        connection.execute(
            "CREATE TABLE requests AS SELECT * FROM r; CREATE TABLE feedback AS SELECT * FROM f"
        )
    _into_postgres(postgres_database, {"requests": requests, "feedback": feedback})
    for url in (str(path), postgres_database):
        frozen_shop.monkeypatch.setenv("SHOP_URL", url)
        again = frozen_shop.run()
        assert again.judged.counted.cells.equals(from_folder.judged.counted.cells)
        assert again.judged.findings == from_folder.judged.findings
        assert (again.recorded.is_new, again.row.content_sha) == (False, from_folder.row.content_sha)


def _into_postgres(url: str, tables: dict[str, pa.Table]) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(url) as connection, connection.cursor() as cursor:
        for name, rows in tables.items():
            cursor.adbc_ingest(name, rows, mode="create")
        connection.commit()
