"""Simulated worlds: rows add up, nights differ as promised, and planted effects are as large as they say."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from benchmarks import replay_series, replay_world
from benchmarks.replay_counts import clustered, in_slices
from benchmarks.replay_moves import distance
from benchmarks.replay_names import APPS, CITIES
from benchmarks.replay_noise import night_levels, night_shares
from benchmarks.replay_records import EVERYWHERE, KINDS, NOISE, Floats, World
from benchmarks.replay_script import script
from benchmarks.replay_service import Plan, plan
from benchmarks.replay_step import Step
from benchmarks.replay_world import build, moved

NIGHTS = 45
USUAL = np.array([0.35, 0.25, 0.2, 0.1, 0.06, 0.04])
ROWS, PARTS, LONG = 5000, 6, 2500


@pytest.fixture(scope="module")
def world() -> World:
    """A short world with every series there is."""
    return build("assistant", "heavy_tails", 3, NIGHTS)


def digest(of: World) -> str:
    """One hash over all counts and series of a world, and its incidents."""
    made = sha256(repr((of.incidents, of.deployments, of.slices, of.nights)).encode())
    for name in sorted(of.counts):
        made.update(of.counts[name].tobytes())
    for series in of.series:
        made.update(series.value.tobytes())
    return made.hexdigest()


def test_a_world_has_the_promised_shape(world: World) -> None:
    """60 columns, half of them numbers, and 40 slices beside all rows, from about 50 to 50,000 requests."""
    assert [sum(c.kind == kind for c in world.columns) for kind in ("number", "category")] == [30, 30]
    assert len({c.name for c in world.columns}) == 60
    assert (world.slices[0], len(world.slices), len(set(world.slices))) == (EVERYWHERE, 41, 41)
    assert {c.name: world.counts[c.name].shape for c in world.columns} == {
        c.name: (NIGHTS, 41, c.size) for c in world.columns
    }
    assert all(c.edges is None or (c.size == 14 and (np.diff(c.edges) > 0).all()) for c in world.columns)
    assert all(7 <= c.size <= 22 for c in world.columns if c.kind == "category")
    size = np.sort(world.series[0].value[:28].mean(axis=0))
    assert 30 < size[0] < 100
    assert 40_000 < size[-2] < 75_000
    assert 140_000 < size[-1] < 170_000
    assert set(world.noise_floors) == set(world.counts)


def test_parents_are_the_sums_of_their_parts(world: World) -> None:
    """Cities add up to all rows, apps too, and every column counts each row of each slice once."""
    volume = world.series[0].value
    groups = [[world.slices.index(name) for name in names] for names in (CITIES, APPS)]
    for counts in world.counts.values():
        assert np.array_equal(counts.sum(axis=2), volume)
        for group in groups:
            assert np.array_equal(counts[:, group].sum(axis=1), counts[:, 0])
    shares = [s for s in world.series if s.part is not None and s.name != "checkout"]
    assert [s.name for s in shares] == ["errors", "outcome", "labels_known", "empty_answers"]
    for series in shares:
        assert series.part is not None
        assert np.array_equal(series.part[:, groups[0]].sum(axis=1), series.part[:, 0])


def test_what_is_not_known_is_nan(world: World) -> None:
    """A guardrail is known for all rows only, an outcome not yet on the last nights."""
    by_name = {s.name: s for s in world.series}
    assert np.isnan(by_name["checkout"].value[:, 1:]).all()
    assert not np.isnan(by_name["checkout"].value[:, 0]).any()
    assert np.isnan(by_name["outcome"].value[-3:]).all()
    assert not np.isnan(by_name["outcome"].value[:-3, 0]).any()


def test_the_same_seed_gives_the_same_bytes(world: World) -> None:
    """Also in another process with other hashes; another seed or noise gives others."""
    code = (
        "from tests_digest import digest; from benchmarks.replay_world import build;"
        f"print(digest(build('assistant', 'heavy_tails', 3, {NIGHTS})))"
    ).replace("tests_digest", "test_replay_world")
    here = Path(__file__)
    path = os.pathsep.join([str(here.parent), str(here.parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert done.stdout.strip() == digest(world)
    assert digest(build("assistant", "heavy_tails", 4, NIGHTS)) != digest(world)
    assert digest(build("assistant", "dirichlet", 3, NIGHTS)) != digest(world)


@pytest.mark.parametrize(
    ("service", "noise", "nights"), [("shop", "dirichlet", 50), ("eta", "pink", 50), ("eta", "dirichlet", 34)]
)
def test_what_cannot_be_built_says_so(service: str, noise: str, nights: int) -> None:
    """An unknown service or noise, and too few nights, are refused."""
    with pytest.raises(ValueError, match=r"no world|34 nights"):
        build(service, noise, 1, nights)


def nightly(noise: str, rho: float) -> Floats:
    """True shares of many nights in some parts whose usual shares are alike."""
    usual = np.broadcast_to(USUAL, (LONG, PARTS, len(USUAL)))
    return night_shares(noise, usual, USUAL, rho, np.random.default_rng(11))


@pytest.mark.parametrize("effect", [4.0, 20.0])
@pytest.mark.parametrize("noise", NOISE)
def test_the_design_effect_at_5000_rows(noise: str, effect: float) -> None:
    """Counts of one part vary as often as promised more than free rows would; half of it is common to all."""
    phi = 1.5
    rho = (effect - phi) / (ROWS - 1)
    true = nightly(noise, rho)
    counts = clustered(true, np.full((LONG, PARTS), ROWS), phi, np.random.default_rng(5))
    free = USUAL * (1 - USUAL)
    measured = ((counts / ROWS - USUAL) ** 2).mean(axis=(0, 1)).sum() / free.sum() * ROWS
    # The square of a t with 4 degrees of freedom has no variance, so its mean comes slowly.
    assert measured == pytest.approx(effect, rel=0.15 if noise == "heavy_tails" else 0.07)
    together = true.mean(axis=1).var(axis=0).sum() / free.sum()
    assert together == pytest.approx(rho * (1 / 2 + 1 / (2 * PARTS)), rel=0.17)


def signature(noise: str) -> tuple[float, float, float]:
    """Share of the variance along one direction, kurtosis, and correlation with the night before."""
    deviation = (nightly(noise, 0.002)[:, 0] - USUAL) / np.sqrt(USUAL)
    values = np.linalg.svd(deviation, compute_uv=False) ** 2
    scaled = deviation / deviation.std(axis=0)
    return values[0] / values.sum(), float((scaled**4).mean()), float((scaled[1:] * scaled[:-1]).mean())


def test_each_noise_has_its_signature() -> None:
    """One direction, heavy tails, or each night like the one before: each in one noise and in no other."""
    rank, kurtosis, lag = (
        dict(zip(NOISE, of, strict=True)) for of in zip(*map(signature, NOISE), strict=True)
    )
    assert [noise for noise in NOISE if rank[noise] > 0.95] == ["direction"]
    assert max(rank[noise] for noise in NOISE if noise != "direction") < 0.35
    assert [noise for noise in NOISE if kurtosis[noise] > 6] == ["heavy_tails"]
    assert max(kurtosis[noise] for noise in NOISE if noise != "heavy_tails") < 4
    assert lag["autocorrelated"] == pytest.approx(0.6, abs=0.06)
    assert max(abs(lag[noise]) for noise in NOISE if noise != "autocorrelated") < 0.06


@pytest.mark.parametrize("noise", NOISE)
def test_levels_have_the_same_noise(noise: str) -> None:
    """What series are moved by has variance 1 in common and in each part, and the noise's signature."""
    common, alone = night_levels(noise, LONG, PARTS, np.random.default_rng(2))
    assert [common.var(), alone.var()] == pytest.approx([1, 1], rel=0.15)
    values = np.linalg.svd(alone, compute_uv=False) ** 2
    assert (values[0] / values.sum() > 0.95) == (noise == "direction")
    assert ((common**4).mean() > 6) == (noise == "heavy_tails")
    lag = (common[1:] * common[:-1]).mean()
    assert lag == pytest.approx(0.6 if noise == "autocorrelated" else 0, abs=0.07)


def test_clustered_rows_add_up_and_vary_as_much_as_they_should() -> None:
    """Within a night, the variance of a count is phi times that of free rows; no row is lost, of none either."""
    requests = np.tile(np.array([0, 1, 7, 4000]), (LONG, 1))
    counts = clustered(np.broadcast_to(USUAL, (LONG, 4, 6)), requests, 1.7, np.random.default_rng(1))
    assert np.array_equal(counts.sum(axis=2), requests)
    assert counts.min() == 0
    free = 4000 * USUAL * (1 - USUAL)
    assert counts[:, 3].var(axis=0) / free == pytest.approx(np.full(6, 1.7), rel=0.1)


def scripts() -> list[tuple[Plan, Step, tuple[Step, ...]]]:
    """Every scripted incident of three services and the four noises, with all steps of its world."""
    plans = {service: plan(service, 1, 120) for service in KINDS}
    made = [(plans[service], script(plans[service], noise, 1)) for service in KINDS for noise in NOISE]
    return [(usual, step, steps) for usual, steps in made for step in steps]


def measured(usual: Plan, step: Step, steps: tuple[Step, ...], rng: np.random.Generator) -> float:
    """The distance between very many rows drawn with and without a world's incidents, on its worst night."""
    incident = step.incident
    name = incident.columns[0].removeprefix("null:")
    column = next(c for c in usual.columns if c.name == name)
    nights = slice(incident.first, incident.last + 1)
    before = usual.usual(name, 0, 119)
    rows = np.rint(usual.requests[nights] * 5000).astype(np.int64)
    drawn = [
        in_slices(clustered(shares[nights], rows, 1.0, rng), usual.belongs)[
            :, usual.slices.index(incident.slice)
        ]
        for shares in (before, moved(usual, name, steps, before))
    ]
    if name != incident.columns[0]:
        null = [counts[:, column.null] / counts.sum(axis=1) for counts in drawn]
        return float((null[1] - null[0]).max())
    return float(distance(column, drawn[0], drawn[1]).max())


def test_an_incident_moves_its_slice_and_its_nights_alone() -> None:
    """Shares outside of the slice and the nights of any incident are the usual ones."""
    seen = 0
    for usual, step, steps in scripts():
        for name in (*step.moves, *step.stale):
            before = usual.usual(name, 0, 119)
            differs = np.abs(moved(usual, name, steps, before) - before).max(axis=2) > 1e-9
            nights = range(step.incident.first, step.incident.last + 1)
            assert not np.delete(differs, nights, axis=0).any()
            held = np.asarray(usual.belongs[usual.slices.index(step.incident.slice)] > 0)
            assert not differs[:, ~held].any()
            seen += step.incident.slice != EVERYWHERE
    assert seen > 10


def test_planted_effects_of_features_are_as_large_as_they_say() -> None:
    """Measured from some thousand nights' rows, each incident moves its first column as far as its record says."""
    rng, seen = np.random.default_rng(8), 0
    for usual, step, steps in scripts():
        if step.moves.keys() & {c.removeprefix("null:") for c in step.incident.columns[:1]} or step.stale:
            seen += 1
            assert measured(usual, step, steps, rng) == pytest.approx(
                step.incident.effect, rel=0.02, abs=0.002
            )
    assert seen > 40


def test_planted_effects_of_series_are_as_large_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """On nights without noise and with very many rows, each series is moved as far as the record says."""
    monkeypatch.setattr(replay_series, "night_levels", lambda *of: (np.zeros((of[1], 1)),) * 2)
    seen = set()
    for usual, step, _ in scripts():
        for name in {*step.factors, *step.points} & set(step.incident.columns[:1]):
            seen.add(name)
            many = replace(usual, requests=usual.requests * 3000)
            value = []
            for steps in ((), (step,)):
                rng = np.random.default_rng(4)
                rows = replay_series.requests(many, steps, "dirichlet", rng)
                made = {s.name: s for s in replay_series.all_series(many, steps, "dirichlet", rows, rng)}
                value.append(made[name].value)
            nights = slice(step.incident.first, step.incident.last + 1)
            moved_by = np.abs(value[1] / value[0] - 1 if name in step.factors else value[1] - value[0])
            where, effect = usual.slices.index(step.incident.slice), step.incident.effect
            assert np.nanmax(moved_by[nights, where]) == pytest.approx(effect, rel=0.02, abs=0.001)
            apart = usual.belongs @ usual.belongs[where] == 0
            moved_by[nights, ~apart] = 0
            assert np.nanmax(moved_by) < 0.02
    assert seen >= {"volume", "errors", "latency_p95", "outcome", "labels_known", "checkout"}


def test_night_noise_is_told_in_floors() -> None:
    """A column's noise floor is the usual distance of all rows' true shares, so it grows with rho."""
    usual = plan("eta", 1, 60)
    rows = np.rint(usual.requests).astype(np.int64)
    column = usual.columns[-1]
    found = []
    for rho in (0.001, 0.004):
        noisy = replace(usual, rho={column.name: rho})
        found.append(replay_world.count(noisy, column, (), "dirichlet", rows, np.random.default_rng(3))[1])
    cells, half = column.size - 1, 0.001 / 2
    assert found[0] == pytest.approx(np.sqrt(cells * half / (8 * np.log(2))) / 0.1, rel=0.25)
    assert found[1] / found[0] == pytest.approx(2, rel=0.15)
