"""A night run twice, or killed anywhere and run again, leaves the same tables and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitoring.record import Written
from store.lake import Lake
from store.ledger import latest_night
from store.state import reading
from store.tables import metadata


def state_of(shop: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for the times of recording."""
    engine = shop.watch().state
    with engine.connect() as connection:
        return {
            table.name: sorted(
                (
                    tuple(row)
                    for row in connection.execute(sa.select(*[c for c in table.c if c.name != "recorded_at"]))
                ),
                key=repr,
            )
            for table in metadata.sorted_tables
        }


def files_of(root: Path) -> dict[str, tuple[str, int]]:
    """Every file of the lake: its sha256 and when it was written."""
    lake = root / "var" / "lake"
    return {
        str(path.relative_to(lake)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(lake.rglob("*"))
        if path.is_file()
    }


def hashes(root: Path) -> dict[str, str]:
    """Every file of the lake by its sha256."""
    return {path: sha for path, (sha, _) in files_of(root).items()}


def test_second_run_writes_nothing(frozen_shop: Any) -> None:
    """The same night on the same log changes no row in the state and no byte (nor time) in the lake."""
    first = frozen_shop.run()
    state, files = state_of(frozen_shop), files_of(frozen_shop.root)
    second = frozen_shop.run(at=first.row.recorded_at + timedelta(days=3))

    assert (first.recorded.is_new, second.recorded.is_new) == (True, False)
    assert state_of(frozen_shop) == state
    assert files_of(frozen_shop.root) == files
    assert {path.split("/")[0] for path in files} == {"references", "profiles", "bank", "snapshots", "pages"}
    assert all(state[table] for table in ("nights", "night_counts", "numbers", "findings", "deployments"))


def test_late_rows_make_a_revision_that_says_what_changed(frozen_shop: Any) -> None:
    """Rows that arrive after the night become revision 2; the first revision stays in the state."""
    night = frozen_shop.run().row.night
    frozen_shop.write_night(night, rows=1340)
    late: Written = frozen_shop.run()

    assert (late.recorded.revision, late.recorded.is_new) == (2, True)
    assert late.row.changed == "kept and judged: 1,200 → 1,340 rows"
    assert (
        "kept and judged: 1,200 → 1,340 rows"
        in (frozen_shop.root / "var/lake" / late.row.page_path).read_text()
    )
    assert len(state_of(frozen_shop)["nights"]) == 2


@pytest.mark.parametrize("survived", range(6))
def test_killed_anywhere_and_run_again(
    frozen_shop: Any, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """Killed before its first, second, ... write, a night run again ends as if nothing had happened."""
    done = 0
    put = Lake.put

    def dying_put(lake: Lake, path: str, data: bytes) -> str:
        nonlocal done
        if done == survived:
            raise KeyboardInterrupt
        done += 1
        return put(lake, path, data)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "put", dying_put)
        if survived < 5:
            with pytest.raises(KeyboardInterrupt):
                frozen_shop.run()
            assert not state_of(frozen_shop)["nights"]
    again = frozen_shop.run()
    after, files = state_of(frozen_shop), hashes(frozen_shop.root)

    assert again.recorded.revision == 1
    assert len(after["nights"]) == 1
    assert {path.split("/")[0] for path in files} == {"references", "profiles", "bank", "snapshots", "pages"}
    assert frozen_shop.run().recorded.is_new is False
    assert hashes(frozen_shop.root) == files


def test_killed_between_lake_and_state(frozen_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all files written and the transaction lost, the next run records the night, once."""
    known = state_of(frozen_shop)["deployments"]
    with monkeypatch.context() as patched:
        patched.setattr(
            "monitoring.record.record_night", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            frozen_shop.run()
    assert not state_of(frozen_shop)["nights"]
    assert state_of(frozen_shop)["deployments"] == known
    files = files_of(frozen_shop.root)
    assert frozen_shop.run().recorded.is_new
    assert files_of(frozen_shop.root) == files


def test_a_lost_file_is_written_again(frozen_shop: Any) -> None:
    """A page that somebody deleted comes back with the same bytes; the state does not change."""
    first = frozen_shop.run()
    state, files = state_of(frozen_shop), hashes(frozen_shop.root)
    (frozen_shop.root / "var/lake" / first.row.page_path).unlink()
    again = frozen_shop.run()

    assert again.recorded.is_new is False
    assert hashes(frozen_shop.root) == files
    assert state_of(frozen_shop) == state


def test_a_page_beside_another_past_is_the_one_the_state_knows(other_past: Any) -> None:
    """The nights before were revised, then the page lost: the index, the state and the new page say the same."""
    nights = other_past
    with reading(nights.watch().state) as connection:
        first = latest_night(connection, "shop", nights.night)
    assert first is not None
    page = nights.root / "var/lake" / first.page_path
    page.unlink()
    again = nights.run()
    assert again.recorded.is_new is False
    with reading(nights.watch().state) as connection:
        row = latest_night(connection, "shop", nights.night)
    assert row is not None
    assert row.page_sha == hashlib.sha256(page.read_bytes()).hexdigest() != first.page_sha
    assert (row.standing, row.headline) == (again.row.standing, again.row.headline)
    assert row.standing != first.standing

    state, files = state_of(nights), hashes(nights.root)
    nights.run()
    assert (state_of(nights), hashes(nights.root)) == (state, files)


def test_the_reference_is_frozen(frozen_shop: Any) -> None:
    """The same reference again writes nothing; other content is refused without a reason, which is kept."""
    from monitoring.freeze import freeze
    from services.errors import ReferenceFrozenError
    from services.window import window_between

    watch = frozen_shop.watch()
    first, last = sorted(frozen_shop.tables["requests"])[:2]
    state = state_of(frozen_shop)
    again = freeze(watch, "v1", window_between(first, last, "UTC"), frozen_shop.run().row.recorded_at)
    assert again.recorded.is_new is False
    assert state_of(frozen_shop)["reference_profiles"] == state["reference_profiles"]
    with pytest.raises(ReferenceFrozenError, match="v1"):
        freeze(watch, "v1", window_between(first, first, "UTC"), again.row.recorded_at)
    replaced = freeze(
        watch, "v1", window_between(first, first, "UTC"), again.row.recorded_at, reason="day 2 was wrong"
    )
    assert replaced.recorded.revision == 2
    assert any("day 2 was wrong" in row for row in state_of(frozen_shop)["reference_profiles"])


def test_evidently_is_where_the_page_links_to(
    frozen_shop: Any, ronda: Callable[..., tuple[int, str, str]]
) -> None:
    """With --evidently its report stands where the night's page links to, rendered from the stored snapshot."""
    frozen_shop.run()
    page = frozen_shop.root / "var/lake/pages/shop/2026-05-10.html"
    link = page.read_text().split('href="../evidently')[1].split('"')[0]
    report = page.parent / f"../evidently{link}"
    assert not report.exists()
    code, _, _ = ronda("night", "shop", "--date", "2026-05-10", "--evidently")
    assert code == 0
    assert "eta_min" in report.read_text()


def test_without_a_comparison_there_is_no_link(frozen_shop: Any) -> None:
    """A night too small for Evidently has no link to a report that cannot be made; why is kept beside the snapshot."""
    night = frozen_shop.run().row.night
    frozen_shop.write_night(night, rows=50)
    row = frozen_shop.run().row
    assert "evidently" not in (frozen_shop.root / "var/lake" / row.page_path).read_text()
    scores = frozen_shop.root / "var/lake" / row.snapshot_path.replace(".json.gz", ".scores.json")
    assert '"reason":"few_rows"' in scores.read_text()
