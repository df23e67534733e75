"""A release: which rows it holds, what it says of the others, and that it is the same every time."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import feedback.release
from feedback.night import mature
from feedback.records import Released, Wanted
from feedback.release import release
from services.errors import NightError, StateError
from services.window import night_of, window_between
from store.statement import Rule
from store.tables import release_counts, releases
from store.watch import Watch

FIRST, LAST = date(2026, 5, 10), date(2026, 5, 12)
WINDOW = window_between(FIRST, LAST, "UTC")
RULES = (Rule("size_above_max", "size", "above", 100.0),)
WANTED = Wanted({"size": "number", "city": "category"}, RULES, "c0ffee", "ref")


def matured(watch: Watch, world: Any, nights: int = 2) -> Watch:
    """The service with the outcomes of its first nights recorded."""
    for offset in range(nights):
        mature(watch, night_of(FIRST + timedelta(days=offset + 1), "UTC"), world.later)
    return watch


def small(world: Any) -> tuple[list[Any], list[Any]]:
    """Two nights, with one row for each reason to leave a row out."""
    request, event, at = world.request, world.event, world.at
    requests = [
        request("b", 8, user_id="ana@example.com"), request("a", 8, user_id=None, model_version=None, size=None),
        request("none", 9), request("late", 10), request("big", 11, size=101.0), request("twice", 12),
        request("twice", 13, city="Natal"), request(None, 14), request("next", 30, city="</script>'|"), request("empty", 31),
    ]  # fmt: skip
    feedback = [
        event("e1", "b", at(9), 5.0), event("e2", "a", at(9), 1.0), event("e3", "late", at(34.5), 5.0),
        event("e4", "big", at(12), 5.0), event("e5", "twice", at(13), 4.0), event("e6", "next", at(31), 3.0),
        event("e7", "empty", at(32), None),
    ]  # fmt: skip
    return requests, feedback


def data(watch: Watch, made: Released) -> list[dict[str, Any]]:
    """The rows of a release."""
    content = watch.lake.get(f"{made.row.path}/data/train.parquet")
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(content)).to_pylist()
    return rows


def rows_in(watch: Watch) -> list[list[Any]]:
    """All rows of the two tables of releases."""
    with watch.state.connect() as connection:
        return [[tuple(row) for row in connection.execute(sa.select(t))] for t in (releases, release_counts)]


COUNTS = {
    "kept": 4, "no_feedback": 1, "late_feedback": 1, "value_missing": 1, "quarantined_size_above_max": 1,
    "quarantined_request_id_duplicated": 1, "quarantined_request_id_missing": 1,
}  # fmt: skip


def test_rows_and_reasons(world: Any) -> None:
    """Kept rows are whole and in order, and every other row has its reason."""
    watch = matured(world.watch(*small(world)), world)
    made = release(watch, WINDOW, WANTED, world.later)
    rows = data(watch, made)

    assert dict(made.counts) == COUNTS
    assert made.row.rows_read == 10
    assert [(r["request_id"], r["label"], r["night"], r["city"], r["size"]) for r in rows] == [
        ("a", 0, FIRST, "Recife", None), ("b", 1, FIRST, "Recife", 1.0), ("twice", 1, FIRST, "Recife", 1.0),
        ("next", 0, date(2026, 5, 11), "</script>'|", 1.0),
    ]  # fmt: skip
    assert list(rows[1]) == [
        "request_id", "time", "night", "model_version", "prediction", "subject_key", "size", "city", "label", "known_at",
        "service", "outcome", "outcome_sha256",
    ]  # fmt: skip
    assert (rows[1]["time"], rows[1]["known_at"]) == (world.at(8), world.at(9))
    assert (rows[0]["model_version"], rows[1]["prediction"], rows[1]["outcome"]) == (None, 0.5, "outcome")


def test_no_person_in_it(world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]]) -> None:
    """A user id is only there as a keyed hash, and in no file of the lake as itself."""
    watch = matured(world.watch(*small(world)), world)
    rows = data(watch, release(watch, WINDOW, WANTED, world.later))

    expected = hmac.new(b"k" * 16, b"ana@example.com", hashlib.sha256).hexdigest()
    assert [row["subject_key"] for row in rows[:2]] == [None, expected]
    assert not [name for name, content in lake_bytes(watch).items() if b"ana@example.com" in content]


def test_the_manifest_says_it_all(world: Any) -> None:
    """Counts, nights, versions, rule, code, and the sha256 of each file, which are the files' own."""
    watch = matured(world.watch(*small(world)), world)
    made = release(watch, WINDOW, WANTED, world.later)
    content = watch.lake.get(f"{made.row.path}/manifest.json")
    manifest = json.loads(content)

    assert hashlib.sha256(content).hexdigest() == made.row.manifest_sha
    assert manifest == made.manifest
    for name, said in manifest["files"].items():
        file = watch.lake.get(f"{made.row.path}/{name}")
        assert said == {"sha256": hashlib.sha256(file).hexdigest(), "bytes": len(file)}
    assert set(manifest["files"]) == {"data/train.parquet", "README.md"}
    plain = {
        key: manifest[key]
        for key in ("counts", "labels", "model_versions", "not_mature", "rows_read", "rows_kept")
    }
    assert plain == {
        "counts": COUNTS, "labels": {"0": 2, "1": 2}, "model_versions": {"": 1, "m1": 3},
        "not_mature": ["2026-05-12"], "rows_read": 10, "rows_kept": 4,
    }  # fmt: skip
    assert [(night["night"], night["rows_read"], night["requests_gone"]) for night in manifest["nights"]] == [
        ("2026-05-10", 8, 0), ("2026-05-11", 2, 0),
    ]  # fmt: skip
    assert manifest["outcome"] == {
        "name": "outcome",
        "event": "rated",
        "positive": "stars > 3",
        "window_seconds": 86400,
    }
    assert (manifest["code_commit"], manifest["reference_sha256"], manifest["version"]) == (
        "c0ffee",
        "ref",
        made.row.version,
    )


def test_two_fresh_homes_one_release(world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]]) -> None:
    """The same log gives the same version and the same bytes, at whatever time and in whatever row order."""
    requests, feedback = small(world)
    lakes = []
    for rows, events, days in ((requests, feedback, 0), (requests[::-1], feedback[::-1], 9)):
        watch = matured(world.watch(rows, events), world)
        # where the log is stands in the service file, which the manifest has the hash of
        watch = replace(watch, service=watch.service.model_copy(update={"source": "${LOG}"}))
        release(watch, WINDOW, WANTED, world.later + timedelta(days=days))
        lakes.append(lake_bytes(watch))

    assert lakes[0] == lakes[1]
    assert len([name for name in lakes[0] if name.startswith("releases/")]) == 3


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_every_source_gives_the_same_rows(kind: str, postgres_world: Any) -> None:
    """A database gives the rows that a folder gives, byte for byte."""
    folder = matured(postgres_world.watch(*small(postgres_world)), postgres_world)
    other = matured(postgres_world.watch(*small(postgres_world), kind=kind), postgres_world)
    made = [release(watch, WINDOW, WANTED, postgres_world.later) for watch in (folder, other)]

    assert made[1].manifest["rows_sha256"] == made[0].manifest["rows_sha256"]
    assert made[1].manifest["files"]["data/train.parquet"] == made[0].manifest["files"]["data/train.parquet"]
    assert made[1].counts == made[0].counts


def test_twice_changes_nothing(world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]]) -> None:
    """The same release again writes no row and no byte."""
    watch = matured(world.watch(*small(world)), world)
    first = release(watch, WINDOW, WANTED, world.later)
    before = lake_bytes(watch), rows_in(watch)
    second = release(watch, WINDOW, WANTED, world.later + timedelta(days=1))

    assert (first.is_new, second.is_new) == (True, False)
    assert (second.row.version, second.manifest, second.counts) == (
        first.row.version,
        first.manifest,
        first.counts,
    )
    assert (lake_bytes(watch), rows_in(watch)) == before


def test_killed_between_lake_and_state(
    world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that died before it was recorded is recorded by the next run, with the same bytes."""
    watch = matured(world.watch(*small(world)), world)

    def killed(*_: object) -> None:
        raise StateError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(feedback.release, "record_release", killed)
        with pytest.raises(StateError, match="killed"):
            release(watch, WINDOW, WANTED, world.later)
    before = lake_bytes(watch)
    made = release(watch, WINDOW, WANTED, world.later)

    assert made.is_new
    assert lake_bytes(watch) == before
    assert len(rows_in(watch)[0]) == 1


@pytest.mark.parametrize(
    "change",
    [{"code_commit": "other"}, {"reference_sha": "other"}, {"features": {"size": "number"}}, {"rules": ()}],
)
def test_another_content_another_version(change: dict[str, Any], world: Any) -> None:
    """Whatever the manifest says differently makes another version; both stay."""
    watch = matured(world.watch(*small(world)), world)
    first = release(watch, WINDOW, WANTED, world.later)
    other = release(watch, WINDOW, replace(WANTED, **change), world.later)

    assert other.row.version != first.row.version
    assert len(rows_in(watch)[0]) == 2


def test_rows_that_came_or_went_since(world: Any) -> None:
    """A request logged after its outcomes were made is left out, one that vanished is counted."""
    requests, feedback = small(world)
    watch = matured(world.watch(requests, feedback), world)
    since = [row for row in requests if row["request_id"] != "b"] + [world.request("new", 9)]
    again = world.watch(since, feedback, home=watch.home.root)
    made = release(again, WINDOW, WANTED, world.later)

    assert made.counts == COUNTS | {"kept": 3, "after_outcomes": 1}
    assert made.manifest["requests_gone"] == 1


TIMES = st.sampled_from([-1.0, 0.0, 8.0, 8.5, 23.99, 24.0, 30.0, 47.9])
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ç", "'", "", None]), TIMES, st.sampled_from([None, 1.0, 100.0, 101.0])
    ),
    max_size=12,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ç", "'", "x"]), TIMES, st.sampled_from([None, 1.0, 3.0, 5.0])),
    max_size=12,
)


@settings(max_examples=15)
@given(requests=REQUESTS, events=EVENTS)
def test_rows_in_are_kept_or_removed(world: Any, requests: list[Any], events: list[Any]) -> None:
    """In any world, rows read = kept + removed by reason, night by night, and the file holds the kept ones."""
    watch = world.watch(
        [world.request(r, hours, size=size) for r, hours, size in requests],
        [world.event(f"e{n}", r, world.at(hours), value) for n, (r, hours, value) in enumerate(events)],
    )
    matured(watch, world)
    logged = Counter(world.at(hours).date() for _, hours, _ in requests)
    expected = logged[FIRST] + logged[FIRST + timedelta(days=1)]
    try:
        made = release(watch, WINDOW, WANTED, world.later)
    except NightError as nothing:
        left_out = str(nothing).partition("learn from: ")[2].strip(".")
        counted = [int(part.split()[-1]) for part in left_out.split(", ")] if expected else []
        assert sum(counted) == expected
        assert "kept" not in left_out
        return
    rows = data(watch, made)

    assert sum(made.counts.values()) == made.row.rows_read == expected
    assert made.counts["kept"] == made.row.rows_kept == len(rows) == sum(made.manifest["labels"].values())
    assert [night["rows_read"] for night in made.manifest["nights"]] == [
        logged[FIRST],
        logged[FIRST + timedelta(days=1)],
    ]
    assert [(row["time"], row["request_id"].encode()) for row in rows] == sorted(
        (row["time"], row["request_id"].encode()) for row in rows
    )
    assert made.manifest["requests_gone"] == 0
