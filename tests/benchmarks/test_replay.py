"""The replay on one short world: what the command prints and writes, and how rivals' flags become pages."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import replay, replay_runs
from benchmarks.replay_records import EVERYWHERE, World
from benchmarks.replay_rivals import RIVALS, Flags
from benchmarks.replay_runs import CONTESTANTS, Job, Played, jobs, play, play_all, run_of
from benchmarks.replay_score import Page, Run, score
from benchmarks.replay_table import HEADER, ROWS, document, losses, table, timing
from benchmarks.replay_world import build

ROOT = Path(replay.__file__).parents[1]
SHORT = ["--services", "eta", "--noises", "dirichlet"]
FIGURES = {row.key for row in ROWS} | {"seconds_per_night", "harmless"}
WHO = [*CONTESTANTS]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command writes its page."""
    return tmp_path_factory.mktemp("replay") / "benchmark.md"


@pytest.fixture(scope="module")
def done(page_file: Path) -> subprocess.CompletedProcess[str]:
    """The whole command on one world of 36 nights, of which eight are judged."""
    options = ["--seed", "2", "--nights", "36", *SHORT, "--json", "--verbose", "--write", str(page_file)]
    command = [sys.executable, "-m", "benchmarks.replay", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What it printed."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def world() -> World:
    """The world of that run."""
    return build("eta", "dirichlet", 2, 36)


def test_json_holds_every_figure_of_every_contestant(result: dict[str, Any]) -> None:
    """One object with these keys and no others; ronda's figures again for each noise."""
    assert ["ronda", *RIVALS] == WHO
    assert list(result) == ["command", "seeds", "nights", "number_of_worlds", *WHO, "worlds"]
    assert (result["seeds"], result["nights"], result["number_of_worlds"]) == ([2], 36, 1)
    assert all(set(result[name]) == FIGURES for name in WHO)
    assert result["worlds"] == {"dirichlet": result["ronda"]}


def test_all_contestants_watched_the_same_nights(result: dict[str, Any]) -> None:
    """The same months, incidents and visible ones for all; who pages always or never has just that many pages."""
    for key in ("months", "free_months", "incidents", "large_incidents", "visible_incidents"):
        assert len({result[name][key] for name in WHO}) == 1, key
    assert result["ronda"]["incidents"] >= 1
    assert (result["always"]["pages"], result["never"]["pages"]) == (8, 0)
    assert (result["always"]["recall_all"], result["never"]["recall_all"]) == (1.0, 0.0)
    assert all(result[name]["seconds"] > 0 for name in WHO)
    assert result["ronda"]["seconds_per_night"] == pytest.approx(result["ronda"]["seconds"] / 8)
    assert min(result[name]["peak_rss_mb"] for name in WHO) > 50
    assert result["ronda"]["peak_rss_mb"] == max(result[name]["peak_rss_mb"] for name in WHO) < 1000


def test_progress_and_details_do_not_stand_in_the_json(done: subprocess.CompletedProcess[str]) -> None:
    """They go to standard error."""
    assert done.stderr.startswith("1 worlds of 36 nights …\n  eta, dirichlet, seed 2\neta dirichlet 2\n")


def test_the_page_is_written_from_the_figures(result: dict[str, Any], page_file: Path) -> None:
    """It has the table, the command that makes it again, and the sentence on what somebody else does better."""
    text = page_file.read_text(encoding="utf-8")
    assert text == document(result, WHO)
    who = {name: result[name] for name in WHO}
    assert table(who) in text
    assert f"`{result['command']}`" in text
    assert result["command"] == f"python -m benchmarks.replay --seed 2 --nights 36 {' '.join(SHORT)}"
    assert losses(who)
    assert all(f"- {sentence}\n" in text for sentence in losses(who))


def test_the_page_in_the_tree_is_of_this_code() -> None:
    """Its words are those that the code writes, and it names every figure and contestant."""
    text = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    assert all(f"| {row.label} " in text for row in ROWS)
    assert all(f" {name} |" in text for name in WHO)


def test_where_ronda_loses_is_told_whatever_is_better() -> None:
    """More of a recall, less of a page; equal is no loss, nothing against something is one; size is none."""
    told = {
        "ronda": {"recall_all": 0.5, "false_pages_per_month": 0.2, "slice_at_1": None, "precision": 1.0, "pages": 9},
        "a": {"recall_all": 0.7, "false_pages_per_month": 0.2, "slice_at_1": 0.1, "precision": None, "pages": 1},
        "b": {"recall_all": 1.0, "false_pages_per_month": 0.1, "slice_at_1": None, "precision": 0.9, "pages": 99},
    }  # fmt: skip
    assert losses(told) == [
        "False pages per service-month, nights without incident: ronda has 0.20; better are b (0.10).",
        "Recall of all incidents of at least one floor: ronda has 0.50; better are b (1.00), a (0.70).",
        "First page names the right slice: ronda has –; better are a (0.10).",
    ]
    assert losses({"ronda": told["ronda"]}) == []


def test_a_run_of_ronda_alone_and_one_without_it_are_written(result: dict[str, Any]) -> None:
    """Without rivals nobody was better; without ronda there is no such section. Seconds are told where measured."""
    alone = document(result, ["ronda"])
    assert "No contestant was better" in alone
    assert "Where ronda loses" not in document(result | {"worlds": {}}, ["never"])
    timed = {"nights": 2, "evidently_seconds_per_night": 41.234, "ronda_seconds_per_night": 0.5}
    assert "Evidently takes 41.23 s a night (mean of 2)" in document(result | {"timed": timed}, WHO)
    assert "ronda 0.50 s" in timing(timed)


def flags(of: World, *flagged: tuple[str, int, int, float]) -> Flags:
    """Flags of a world: column, night, slice and strength; every night with one is paged."""
    shape = (len(of.nights), len(of.slices))
    strength = {column.name: np.zeros(shape) for column in of.columns}
    for name, night, slot, value in flagged:
        strength[name][night, slot] = value
    keys = {name: values >= 1 for name, values in strength.items()}
    nights = np.any([hit.any(axis=1) for hit in keys.values()], axis=0)
    return Flags(nights, keys, strength, 0.7)


def test_a_flagged_night_is_a_page_that_names_the_strongest_first(world: World) -> None:
    """All flagged columns by their strength, the slice of the strongest; nothing of the reference's own nights."""
    a, b, c = (column.name for column in world.columns[:3])
    told = flags(
        world,
        (a, 27, 0, 9.0),
        (a, 30, 0, 1.5),
        (b, 30, 3, 4.0),
        (b, 30, 0, 2.0),
        (c, 30, 2, 0.9),
        (c, 35, 1, 1.0),
    )
    run = run_of(world, told)
    assert run.pages == (Page(30, (b, a), world.slices[3]), Page(35, (c,), world.slices[1]))
    assert run.findings == {
        (30, a, EVERYWHERE), (30, b, world.slices[3]), (30, b, EVERYWHERE), (35, c, world.slices[1]),
    }  # fmt: skip
    assert (run.judgeable, run.first, dict(run.visible)) == (0.7, 28, {})


def test_a_night_below_the_share_that_pages_is_a_finding_only(world: World) -> None:
    """Evidently's rule for a dataset flags columns on nights on which it pages nobody."""
    told = flags(world, (world.columns[0].name, 30, 0, 2.0))
    run = run_of(world, replace(told, nights=np.zeros(len(world.nights), dtype=bool)))
    assert (run.pages, len(run.findings)) == ((), 1)


def test_details_list_false_pages_and_missed_incidents(world: World) -> None:
    """Ronda's alone, with what was done around the page."""
    job = Job("eta", "dirichlet", 2, 36, ("ronda", "always"))
    missed = next(each for each in world.incidents if not each.harmless)
    run = replace(run_of(world, flags(world)), pages=(Page(missed.first, ("nonsense",), "recife", 7),))
    played = [Played(job, name, score(world, run), 1.0, 1.0) for name in job.contestants]
    lines = replay.details(played)
    assert lines[0] == "eta dirichlet 2"
    assert lines[1].startswith(
        f"  false: night {missed.first}, nonsense in recife, 7 nights back, during or after"
    )
    assert f"  missed: {missed.kind} of {missed.columns[0]}" in "\n".join(lines)
    assert sum(line.startswith("  false") for line in lines) == 1


def test_jobs_are_every_seed_service_and_noise() -> None:
    """Twelve worlds a seed by default, each of them once."""
    made = jobs([1, 2], ["eta", "assistant"], ["dirichlet"], 40, ["never"])
    assert [(each.seed, each.service) for each in made] == [
        (1, "eta"),
        (1, "assistant"),
        (2, "eta"),
        (2, "assistant"),
    ]
    assert {(each.noise, each.nights, each.contestants) for each in made} == {("dirichlet", 40, ("never",))}


def test_without_ronda_nothing_is_called_visible() -> None:
    """No rival says what it could see."""
    told = play(Job("eta", "dirichlet", 2, 36, ("psi_025", "never")))
    assert [each.contestant for each in told] == ["psi_025", "never"]
    assert {fate.visible for each in told for fate in each.scored.fates} == {None}


def test_ronda_runs_last_and_its_word_is_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is not in the peak of a rival, and what it calls visible is visible for a rival too."""
    peaks = iter(range(3))
    monkeypatch.setattr(replay_runs, "peak_mb", lambda: next(peaks))
    run = Run((), frozenset(), 1.0, 28, dict.fromkeys(range(9), 0.0))
    monkeypatch.setattr(replay_runs, "watched", lambda _: run)
    told = play(Job("eta", "dirichlet", 2, 36, ("ronda", "psi_025", "never")))
    assert [(each.contestant, each.peak_mb) for each in told] == [("ronda", 2), ("psi_025", 0), ("never", 1)]
    assert [[fate.visible for fate in each.scored.fates] for each in told] == [[True]] * 3


def test_a_world_that_cannot_be_built_stops_the_run() -> None:
    """Its own error is raised, not a shorter table."""
    with pytest.raises(ValueError, match="no world 'shop'"):
        play_all([Job("shop", "dirichlet", 2, 36, ("never",))], 1, print)


@pytest.mark.parametrize(
    "wrong",
    [
        [], ["--seed", "2", "--nights", "34"], ["--seed", "2", "--processes", "0"], ["--seed", "2", "--timed", "93"],
        ["--seed", "2", "--services", "shop"], ["--seed", "2", "--timed", "1", "--contestants", "never"],
    ],
)  # fmt: skip
def test_wrong_call_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No seed, too few nights, no process, more timed nights than there are, an unknown service: exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        replay.main(wrong)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err
