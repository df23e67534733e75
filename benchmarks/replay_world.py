"""Whole simulated services with known truth, for a benchmark of drift verdicts.

Rows are drawn in parts, one for each city and app, and added up, so a slice is the sum of its parts. What is
drawn depends on the service, the noise and the seed alone; the service's usual nights not on the noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.replay_counts import Ints, clustered, in_slices, whole_numbers
from benchmarks.replay_moves import FEATURE_FLOOR, distance
from benchmarks.replay_noise import night_shares
from benchmarks.replay_records import KINDS, NOISE, Column, Counts, Floats, World
from benchmarks.replay_script import deployments, script
from benchmarks.replay_series import all_series, requests
from benchmarks.replay_service import REFERENCE_NIGHTS, Plan, plan
from benchmarks.replay_step import Step


def build(service: str, noise: str, seed: int, nights: int = 120) -> World:
    """A world: the same bytes for the same arguments.

    Args:
        service: one of `KINDS`.
        noise: how nights differ, one of `NOISE`.
        nights: at least 35; the first 28 are the reference. With 120 there are about eight incidents.

    Raises:
        ValueError: no such service or noise, or too few nights.
    """
    if service not in KINDS or noise not in NOISE:
        raise ValueError(f"no world {service!r} with noise {noise!r}: services are {KINDS}, noises {NOISE}")
    usual = plan(service, seed, nights)
    steps = script(usual, noise, seed)
    key = [seed, KINDS.index(service), NOISE.index(noise)]
    rng = np.random.default_rng([*key, 4])
    rows = requests(usual, steps, noise, rng)
    series = all_series(usual, steps, noise, rows, rng)
    counts, floors = {}, {}
    for i, column in enumerate(usual.columns):
        own = np.random.default_rng([*key, 5, i])
        counts[column.name], floors[column.name] = count(usual, column, steps, noise, rows, own)
    return World(
        service=service,
        noise=noise,
        nights=usual.nights,
        slices=usual.slices,
        members=usual.members,
        reference=range(REFERENCE_NIGHTS),
        columns=usual.columns,
        counts=counts,
        series=series,
        holidays=usual.holidays,
        deployments=deployments(steps, nights, rng),
        incidents=tuple(step.incident for step in steps),
        duplicated={
            night: step.duplicated
            for step in steps
            if step.duplicated
            for night in range(step.incident.first, step.incident.last + 1)
        },
        noise_floors=floors,
    )


def count(
    usual: Plan, column: Column, steps: Sequence[Step], noise: str, rows: Ints, rng: np.random.Generator
) -> tuple[Counts, float]:
    """Counts of one column, shape (nights, slices, size), and its night-to-night noise in floors.

    That noise is the root mean square, over the nights, of the true distance between all rows' shares and the
    usual ones of that weekday; before incidents and before anything is drawn.
    """
    shares = usual.usual(column.name, 0, len(usual.nights) - 1)
    overall = usual.usual_in(column.name, usual.slices[0], 0, 0)[0]
    nightly = night_shares(noise, shares, overall, usual.rho[column.name], rng)
    weight = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
    all_rows = [np.einsum("np,npk->nk", weight, of) for of in (shares, nightly)]
    floor = float(np.sqrt(np.mean(distance(column, all_rows[0], all_rows[1]) ** 2))) / FEATURE_FLOOR
    drawn = clustered(moved(usual, column.name, steps, nightly), rows, usual.phi[column.name], rng)
    return whole_numbers(in_slices(drawn, usual.belongs)), floor


def moved(usual: Plan, column: str, steps: Sequence[Step], nightly: Floats) -> Floats:
    """True shares after incidents, shape (nights, parts, size)."""
    shares = nightly.copy()
    for step in steps:
        nights = slice(step.incident.first, step.incident.last + 1)
        held = usual.belongs[usual.slices.index(step.incident.slice)] > 0
        if column in step.moves:
            shares[nights, held] = nightly[nights, held] @ step.moves[column]
        if column in step.stale:
            before = slice(nights.start - 1, nights.stop - 1)
            shares[nights, held] = nightly[before, held]
    shares = np.clip(shares, 0.0, 1.0)  # a matrix leaves rounding errors, which the draw refuses
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), dtype=np.float64)
