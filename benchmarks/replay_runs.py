"""One simulated service watched by every contestant, in a process of its own.

Rivals are computed from counts, so their seconds and memory say nothing of their packages; `--timed` measures
Evidently's own. A process's peak of memory only grows, so the rivals, which need less, run before ronda.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.replay_records import World
from benchmarks.replay_rivals import RIVALS, Flags
from benchmarks.replay_rivals_timed import seconds_per_night
from benchmarks.replay_score import Page, Run, Scored, score
from benchmarks.replay_watch import watched
from benchmarks.replay_world import build
from benchmarks.speed_part import peak_mb, timed

RONDA = "ronda"
CONTESTANTS = (RONDA, *RIVALS)


@dataclass(frozen=True)
class Job:
    """A world, by what `replay_world.build` takes, and who watches it."""

    service: str
    noise: str
    seed: int
    nights: int
    contestants: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """What one contestant made of one world.

    Attributes:
        seconds: wall clock of judging all nights after the reference, the world's making left out.
        peak_mb: most memory its process had in use until it was done, the world itself and imports included.
    """

    job: Job
    contestant: str
    scored: Scored
    seconds: float
    peak_mb: float


def jobs(
    seeds: Iterable[int],
    services: Sequence[str],
    noises: Sequence[str],
    nights: int,
    contestants: Sequence[str],
) -> list[Job]:
    """All worlds of a run."""
    who = tuple(contestants)
    return [
        Job(service, noise, seed, nights, who) for seed in seeds for service in services for noise in noises
    ]


def play(job: Job) -> list[Played]:
    """Build a world and let every contestant watch it, each with one thread for linear algebra.

    What could be seen is known from ronda alone, so with ronda left out no rival has `recall_visible`.
    """
    world = build(job.service, job.noise, job.seed, job.nights)
    found: dict[str, tuple[float, Run, float]] = {}
    with threadpool_limits(1):
        for name in sorted(job.contestants, key=lambda name: name == RONDA):
            seconds, run = timed(lambda name=name: _run(world, name))  # type: ignore[misc]
            found[name] = seconds, run, peak_mb()
    visible = found[RONDA][1].visible if RONDA in found else None
    return [
        Played(job, name, score(world, run, visible), seconds, peak)
        for name in job.contestants
        for seconds, run, peak in [found[name]]
    ]


def run_of(world: World, flags: Flags) -> Run:
    """A rival's run: every flagged night of those after the reference is a page.

    As ronda's pages do, it names all columns that are flagged, the strongest first, and says the slice of that one;
    its data are of that night alone. Findings are all flagged keys.
    """
    columns, first = list(flags.keys), world.reference.stop
    flagged = np.stack([flags.keys[name] for name in columns])
    flagged[:, :first] = False
    strength = np.where(flagged, np.stack([flags.strength[name] for name in columns]), -np.inf)
    pages = []
    for night in np.flatnonzero(flags.nights & flagged.any(axis=(0, 2))):
        most = strength[:, night].max(axis=1)
        order = [c for c in np.argsort(-most, kind="stable") if most[c] > -np.inf]
        slot = int(strength[order[0], night].argmax())
        pages.append(Page(int(night), tuple(columns[c] for c in order), world.slices[slot]))
    noted = frozenset((int(n), columns[c], world.slices[s]) for c, n, s in np.argwhere(flagged))
    return Run(tuple(pages), noted, flags.judgeable, first)


def evidently_seconds(job: Job, nights: int) -> list[float]:
    """What the real Evidently takes for each of the last nights of a world, on raw rows of all its requests."""
    world = build(job.service, job.noise, job.seed, job.nights)
    warnings.filterwarnings(
        "ignore", category=RuntimeWarning
    )  # pandas, of infinities that Evidently then drops
    return seconds_per_night(world, range(job.nights - nights, job.nights))


@contextmanager
def workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes, one for each task: a peak of memory belongs to one world."""
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with pool:
        yield pool


def play_all(asked: Sequence[Job], processes: int, done: Callable[[Job], None]) -> list[Played]:
    """Play all worlds, in the order they are given whatever order they end in; `done` hears of each that ends.

    Raises:
        Exception: whatever a world raised; those not yet begun are left.
    """
    with workers(processes) as pool:
        waiting: dict[Future[list[Played]], int] = {
            pool.submit(play, job): place for place, job in enumerate(asked)
        }
        found: dict[int, list[Played]] = {}
        try:
            for each in as_completed(waiting):
                found[waiting[each]] = each.result()
                done(asked[waiting[each]])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [played for place in sorted(found) for played in found[place]]


def _run(world: World, name: str) -> Run:
    return watched(world) if name == RONDA else run_of(world, RIVALS[name](world))
