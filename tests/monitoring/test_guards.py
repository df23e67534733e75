"""Guards: the one row their queries yield, from each kind of source, and what is said of any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.guards import guard, guards
from monitoring.records import Number
from services.errors import NightError, RondaError, SourceError
from services.home import Home
from services.window import night_of
from store.watch import Watch, open_watch

NIGHT = night_of(date(2026, 5, 10), "America/Recife")
INSIDE = "FROM carts WHERE created_at >= {start} AND created_at < {end}"
PAID = f"SELECT count(*) FILTER (WHERE paid) AS numerator, count(*) AS denominator {INSIDE};"
AMOUNT = f"SELECT coalesce(sum(amount), 0) AS value {INSIDE}"
SERVICE = 'service: shop\nowner: "@shop"\nslack: "#shop"\nsource: ${SHOP_URL}\nrequests: sql/shop/requests.sql\ntime_zone: America/Recife\n'
Watching = Callable[..., Watch]


def carts() -> pa.Table:
    """Eight carts of the night of Recife (03:00 to 03:00 UTC) and two just outside of it; each third is paid."""
    hours = [2, *range(3, 11), 27]
    times = [datetime(2026, 5, 10 + hour // 24, hour % 24, 30, tzinfo=UTC) for hour in hours]
    return pa.table({
        "created_at": pa.array(times, pa.timestamp("us", "UTC")),
        "paid": [n % 3 == 1 for n in range(10)],
        "amount": pa.array([1000, *range(8), 1000], pa.decimal128(12, 2)),
    })  # fmt: skip


def _to_parquet(folder: Path) -> str:
    (folder / "log" / "carts").mkdir(parents=True)
    pq.write_table(carts(), folder / "log" / "carts" / "part-0.parquet")
    return str(folder / "log")


def _to_duckdb(folder: Path) -> str:
    import duckdb

    with duckdb.connect(str(folder / "log.duckdb")) as connection:
        connection.register("incoming", carts())
        connection.execute("CREATE TABLE carts AS SELECT * FROM incoming")
    return str(folder / "log.duckdb")


def _to_postgres(url: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE carts (created_at timestamptz, paid boolean, amount numeric(12, 2))")
        with connection.cursor() as cursor:
            rows = [tuple(row.values()) for row in carts().to_pylist()]
            cursor.executemany("INSERT INTO carts VALUES (%s, %s, %s)", rows)
    return url


@pytest.fixture
def source(tmp_path: Path) -> str:
    return _to_parquet(tmp_path)


@pytest.fixture(params=["parquet", "duckdb", "postgresql"])
def each_source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return _to_postgres(request.getfixturevalue("postgres_database"))
    return _to_parquet(tmp_path) if request.param == "parquet" else _to_duckdb(tmp_path)


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    """A watch of a shop whose guards are given as name -> query."""

    def watch(source: str, **queries: str) -> Watch:
        monkeypatch.setenv("SHOP_URL", source)
        home = Home(
            tmp_path / "home", f"sqlite:///{tmp_path / 'state.db'}", str(tmp_path / "lake"), b"0" * 16
        )
        (home.services).mkdir(parents=True, exist_ok=True)
        (home.root / "sql" / "shop").mkdir(parents=True, exist_ok=True)
        named = "".join(f"  {name}: {{query: sql/shop/{name}.sql}}\n" for name in queries)
        (home.services / "shop.yaml").write_text(SERVICE + (f"guards:\n{named}" if named else ""))
        for name, text in {"requests": "SELECT 1", **queries}.items():
            (home.root / "sql" / "shop" / f"{name}.sql").write_text(text)
        return open_watch("shop", home)

    return watch


def refusal(watch: Watch, kind: type[RondaError]) -> str:
    with pytest.raises(kind) as caught:
        guards(watch, NIGHT)
    return str(caught.value)


def test_shares_and_amounts_of_the_night(each_source: str, watching: Watching) -> None:
    """In the file's order, the night's own rows only, decimals as numbers, from every kind of source."""
    watch = watching(each_source, revenue=AMOUNT, paid=PAID)

    assert guards(watch, NIGHT) == [
        Number("guard", "revenue", 28.0),
        Number("guard", "paid", 3 / 8, 3, 8),
    ]


def test_dates_fill_the_other_placeholders(each_source: str, watching: Watching) -> None:
    """A query may name the nights by their dates instead; braces of anything else stay as they are."""
    day = "CAST(created_at - INTERVAL '3 hours' AS DATE)"
    text = f"SELECT count(*) AS value FROM carts WHERE {day} BETWEEN {{first_night}} AND {{last_night}} AND '{{}}' <> ''"

    assert guards(watching(each_source, carts=text), NIGHT) == [Number("guard", "carts", 8.0)]


def test_a_night_without_anything(each_source: str, watching: Watching) -> None:
    """Nothing to count is no share and no error; an amount of 0 is 0."""
    empty = night_of(date(2020, 1, 1), "America/Recife")

    assert guards(watching(each_source, paid=PAID, revenue=AMOUNT), empty) == [
        Number("guard", "paid", None, 0, 0),
        Number("guard", "revenue", 0.0),
    ]


def test_names_that_begin_alike(each_source: str, watching: Watching) -> None:
    """Databases cut names at 63 signs; two guards that differ in the last one stay two."""
    long = "a" * 62
    watch = watching(each_source, **{long + "a": AMOUNT, long + "b": PAID})

    assert [number.value for number in guards(watch, NIGHT)] == [28.0, 3 / 8]


def test_no_guard(source: str, watching: Watching) -> None:
    """A service without guards asks nothing."""
    assert guards(watching(source), NIGHT) == []


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("1 AS numerator", "yields `numerator`. Yield `numerator` and `denominator` of a share, or `value`"),
        ("1 AS numerator, 2 AS denominator, 3 AS value", "yields `numerator`, `denominator`, `value`. Yield"),
        ("1 AS value, 'Ana' AS name", "yields `value`, `name`. Yield"),
        ('count(*) AS "Value"', "yields `Value`. Yield"),
        ("CAST('12' AS TEXT) AS value", "yields `value` as category. Cast it to a number."),
        ("1 AS numerator, count(*) > 1 AS denominator", "yields `denominator` as category. Cast it"),
        ("max(created_at) AS value", "yields `value` as time. Cast it to a number."),
    ],
)
def test_other_columns(each_source: str, watching: Watching, select: str, told: str) -> None:
    """Service, night, guard and query are named, with the columns that are there and those that should be."""
    said = refusal(watching(each_source, paid=f"SELECT {select} {INSIDE}"), SourceError)

    assert said.startswith(f"shop, 2026-05-10, guard `paid`: sql/shop/paid.sql {told}"), said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{AMOUNT} GROUP BY paid", "yields more than one row. Write an aggregate without GROUP BY"),
        (f"{AMOUNT} AND amount > 9 GROUP BY paid", "yields no row. Write an aggregate without GROUP BY"),
        (f"SELECT sum(amount) AS value {INSIDE} AND amount > 9", "yields an empty `value` (null). If nothing"),
        (f"SELECT -count(*) AS value {INSIDE}", "yields -8 as `value`. It must be a number of 0 or more"),
        (
            f"SELECT -3 AS numerator, count(*) AS denominator {INSIDE}",
            "yields -3 as `numerator`. It must be a number",
        ),
        (
            f"SELECT count(*) AS numerator, 5 AS denominator {INSIDE}",
            "yields 8 as `numerator`, more than the 5 of `denominator`. What is above",
        ),
        (
            f"SELECT 1 AS numerator, sum(amount) AS denominator {INSIDE} AND amount > 9",
            "yields an empty `denominator` (null)",
        ),
        (f"SELECT 0.5 AS numerator, count(*) AS denominator {INSIDE}", "yields 0.5 as `numerator`. A share is"),
        (f"SELECT 1 AS numerator, 1e16 * count(*) AS denominator {INSIDE}", "yields 8e+16 as `denominator`. A"),
        (f"SELECT CAST('NaN' AS DOUBLE PRECISION) AS value, {INSIDE}".replace(", FROM", " FROM") + " LIMIT 1", "yields nan as `value`. It must"),
        (f"SELECT CAST('Infinity' AS DOUBLE PRECISION) AS value {INSIDE} LIMIT 1", "yields inf as `value`"),
    ],
)  # fmt: skip
def test_rows_that_are_none_of_a_guard(each_source: str, watching: Watching, text: str, told: str) -> None:
    """Whatever is not one row of plain numbers is said of its night, guard and column, with what to do."""
    said = refusal(watching(each_source, paid=text), NightError)

    assert said.startswith(f"shop, 2026-05-10, guard `paid`: sql/shop/paid.sql {told}"), said


@pytest.mark.parametrize(
    "text", ["SELECT count(*) AS value FROM carts", "SELECT count(*) AS value FROM carts -- {start}"]
)
def test_a_query_that_is_about_no_night(source: str, watching: Watching, text: str) -> None:
    """It would give the same number every night, and nobody would ever hear of anything."""
    said = refusal(watching(source, paid=text), SourceError)

    assert "says nowhere which night it is about" in said
    assert "WHERE time >= {start} AND time < {end}" in said


def test_a_query_that_does_not_run(each_source: str, watching: Watching) -> None:
    """The engine's complaint names the guard and its query, not the requests'."""
    said = refusal(watching(each_source, paid=f"SELECT count(nope) AS value {INSIDE}"), SourceError)

    assert "shop: the source refused a query of sql/shop/paid.sql (guard paid)" in said
    assert "nope" in said


def test_no_value_of_the_log_is_repeated(each_source: str, watching: Watching) -> None:
    """A cast that fails would quote what it failed on."""
    text = f"SELECT sum(CAST('ana@example.org' || amount AS INTEGER)) AS value {INSIDE}"

    assert "ana@" not in refusal(watching(each_source, paid=text), SourceError)


def test_one_guard_alone(source: str, watching: Watching) -> None:
    """A guard can be asked for by its name, whatever the others do."""
    watch = watching(source, broken="SELECT", paid=PAID)

    assert guard(watch, "paid", NIGHT).value == 3 / 8
    with pytest.raises(SourceError, match="guard broken"):
        guard(watch, "broken", NIGHT)
