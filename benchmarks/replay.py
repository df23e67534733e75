"""Ronda and its rivals on simulated services with known truth: who pages for what, how soon, and for nothing.

    python -m benchmarks.replay --seed 2 --processes 2

Every contestant sees the same worlds. Each world runs in a process of its own. The figures depend on seeds and nights
alone, seconds and memory on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.replay_figures import harmless, summary
from benchmarks.replay_records import KINDS, NOISE, Incident
from benchmarks.replay_runs import CONTESTANTS, RONDA, Job, Played, evidently_seconds, jobs, play_all, workers
from benchmarks.replay_score import Page, Scored
from benchmarks.replay_service import REFERENCE_NIGHTS
from benchmarks.replay_table import document, harmless_table, losses, table, timing

LEAST_NIGHTS = REFERENCE_NIGHTS + 7


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, score and print."""
    asked = _asked(arguments)
    worlds = jobs(asked.seed, asked.services, asked.noises, asked.nights, asked.contestants)
    seconds = _timed(worlds[0], asked.timed)  # first, since it needs the most memory
    print(f"{len(worlds)} worlds of {asked.nights} nights …", file=sys.stderr, flush=True)
    played = play_all(worlds, asked.processes, _tell)
    result = {"command": command(asked), **figures(played, asked.seed, asked.nights)}
    if seconds:
        result["timed"] = {
            "nights": len(seconds),
            "evidently_seconds_per_night": fmean(seconds),
            "ronda_seconds_per_night": result[RONDA]["seconds_per_night"],
        }
    if asked.write:
        Path(asked.write).write_text(document(result, asked.contestants), encoding="utf-8")
    print(json.dumps(result, indent=2) if asked.json else shown(result, asked.contestants))
    if asked.verbose:
        print("\n".join(details(played)), file=sys.stderr if asked.json else sys.stdout)


def command(asked: argparse.Namespace) -> str:
    """What gives the same figures again: the arguments that they depend on, and of the others none."""
    words = ["python -m benchmarks.replay --seed", *map(str, asked.seed), "--nights", str(asked.nights)]
    choices: tuple[tuple[str, Sequence[str]], ...] = (
        ("services", KINDS), ("noises", NOISE), ("contestants", CONTESTANTS)
    )  # fmt: skip
    for name, every in choices:
        chosen: Sequence[str] = getattr(asked, name)
        words += [] if list(chosen) == list(every) else [f"--{name}", *chosen]
    return " ".join(words)


def figures(played: Sequence[Played], seeds: Sequence[int], nights: int) -> dict[str, Any]:
    """All figures: those of each contestant under its name, ronda's for each noise under `worlds`."""
    contestants = list(dict.fromkeys(each.contestant for each in played))
    mine = [each for each in played if each.contestant == RONDA]
    noises = [noise for noise in NOISE if any(each.job.noise == noise for each in mine)]
    return {
        "seeds": list(seeds),
        "nights": nights,
        "number_of_worlds": len({each.job for each in played}),
        **{name: _of(each for each in played if each.contestant == name) for name in contestants},
        "worlds": {noise: _of(each for each in mine if each.job.noise == noise) for noise in noises},
    }


def shown(result: Mapping[str, Any], contestants: Sequence[str]) -> str:
    """The tables for a person."""
    who = {name: result[name] for name in contestants}
    parts = [table(who), *losses(who)]
    if result["worlds"]:
        parts += ["", "ronda by noise", table(result["worlds"])]
    parts += ["", "harmless events that paged", harmless_table(who)]
    if "timed" in result:
        parts += ["", timing(result["timed"])]
    return "\n".join(parts)


def details(played: Iterable[Played]) -> list[str]:
    """Ronda's false pages and missed incidents, world by world."""
    mine = [each for each in played if each.contestant == RONDA]
    found = []
    for job, worlds in groupby(mine, key=lambda each: each.job):
        found.append(f"{job.service} {job.noise} {job.seed}")
        for each in worlds:
            found += [f"  false: {_page(page, each.scored)}" for page in each.scored.false]
            found += [
                f"  missed: {_incident(fate.incident)}, found {fate.found or 'never'}, "
                f"{'visible' if fate.visible else 'not called visible'}"
                for fate in each.scored.fates
                if fate.paged is None
            ]
    return found


def _of(played: Iterable[Played]) -> dict[str, Any]:
    each = list(played)
    scored = [one.scored for one in each]
    seconds = sum(one.seconds for one in each)
    return {
        **summary(scored),
        "seconds": seconds,
        "seconds_per_night": seconds / sum(one.nights for one in scored),
        "peak_rss_mb": max(one.peak_mb for one in each),
        "harmless": harmless(scored),
    }


def _timed(job: Job, nights: int) -> list[float]:
    if not nights:
        return []
    print(f"Evidently on {nights} nights of raw rows (minutes each) …", file=sys.stderr, flush=True)
    with workers(1) as pool:
        return pool.submit(evidently_seconds, job, nights).result()


def _page(page: Page, scored: Scored) -> str:
    near = [
        fate.incident.kind
        for fate in scored.fates
        if fate.incident.first <= page.place <= fate.incident.last + 7
    ]
    columns = ", ".join(page.columns[:6]) + (" …" if len(page.columns) > 6 else "")
    during = f", during or after {', '.join(near)}" if near else ""
    return f"night {page.place}, {columns} in {page.slice or 'all rows'}, {page.memory} nights back{during}"


def _incident(each: Incident) -> str:
    where = each.slice or "all rows"
    return (
        f"{each.kind} of {', '.join(each.columns[:3])} in {where}, nights {each.first} to {each.last}, "
        f"{each.floors:.1f} floors"
    )


def _tell(job: Job) -> None:
    print(f"  {job.service}, {job.noise}, seed {job.seed}", file=sys.stderr, flush=True)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seed", type=int, nargs="+", required=True, help="one or more seeds, 12 worlds each"
    )
    parser.add_argument(
        "--nights", type=int, default=120, help="nights of each world; the first 28 are the reference"
    )
    parser.add_argument("--services", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--noises", nargs="+", choices=NOISE, default=list(NOISE))
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--processes", type=int, default=2, help="worlds at a time")
    parser.add_argument(
        "--timed", type=int, default=0, metavar="K", help="time the real Evidently on K nights too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--verbose", action="store_true", help="list ronda's false pages and missed incidents"
    )
    parser.add_argument("--write", metavar="FILE", help="write the page of the documentation")
    asked = parser.parse_args(arguments)
    if asked.nights < LEAST_NIGHTS:
        parser.error(f"--nights is {asked.nights}; give at least {LEAST_NIGHTS}.")
    if asked.processes < 1:
        parser.error(f"--processes is {asked.processes}; give at least 1.")
    if not 0 <= asked.timed <= asked.nights - REFERENCE_NIGHTS:
        parser.error(f"--timed is {asked.timed}; give 0 to {asked.nights - REFERENCE_NIGHTS}.")
    if asked.timed and RONDA not in asked.contestants:
        parser.error("--timed compares with ronda; name it among the contestants.")
    return asked


if __name__ == "__main__":
    main()
