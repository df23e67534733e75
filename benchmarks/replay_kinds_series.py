"""The kinds of incident that are done to volume, errors, speed, cost and outcomes."""

from __future__ import annotations

import numpy as np

from benchmarks.replay_kinds import a_slice
from benchmarks.replay_names import APPS
from benchmarks.replay_step import Scene, Step, step


def slice_drops(scene: Scene) -> Step:
    """60 to 100 % of the requests of one slice are gone."""
    lost = min(scene.rng.uniform(0.6, 1.1), 1.0)
    return step(scene, "slice_drops", a_slice(scene), factors={"volume": 1 - lost})


def feed_stops(scene: Scene) -> Step:
    """70 to 95 % of all requests are gone."""
    return step(scene, "feed_stops", factors={"volume": 1 - scene.rng.uniform(0.7, 0.95)}, critical=True)


def sampling_bug(scene: Scene) -> Step:
    """Half of the rows of one app are lost."""
    return step(scene, "sampling_bug", str(scene.rng.choice(APPS)), factors={"volume": 0.5})


def traffic_growth(scene: Scene) -> Step:
    """Harmless: requests grow by 7 % a night to twice their number, and go back as slowly."""
    half = scene.length // 2
    nights = np.concatenate([np.arange(1, half + 1), np.arange(scene.length - half - 1, -1, -1)])
    return step(scene, "traffic_growth", factors={"volume": 1.07**nights}, harmless=True, ramp=half)


def duplicated_rows(scene: Scene) -> Step:
    """Harmless once removed: a tenth to a third of the rows are copies."""
    return step(scene, "duplicated_rows", harmless=True, duplicated=scene.rng.uniform(0.1, 0.33))


def deploy_with_error(scene: Scene) -> Step:
    """A deployment brings 3 to 8 points of errors, until it is rolled back."""
    added = scene.rng.uniform(0.03, 0.08)
    return step(scene, "deploy_with_error", points={"errors": added}, critical=True, deploys=True)


def latency_up(scene: Scene) -> Step:
    """Answers are 30 to 80 % slower."""
    return step(scene, "latency_up", factors={"latency_p95": scene.rng.uniform(1.3, 1.8)})


def guardrail_drop(scene: Scene) -> Step:
    """3 to 5 points of checkouts are gone."""
    return step(scene, "guardrail_drop", points={"checkout": -scene.rng.uniform(0.03, 0.05)})


def label_delay_grows(scene: Scene) -> Step:
    """A third to two thirds of all requests have no outcome when one is due."""
    return step(scene, "label_delay_grows", points={"labels_known": -scene.rng.uniform(0.33, 0.66)})


def label_flip(scene: Scene) -> Step:
    """In one slice the relation of features and outcome turns, and the rate of the outcome moves with it."""
    points = scene.rng.uniform(0.05, 0.12) * float(scene.rng.choice([-1, 1]))
    return step(scene, "label_flip", a_slice(scene), points={"outcome": points})


def label_flip_unseen(scene: Scene) -> Step:
    """In one slice the relation turns, and the rate of the outcome stays."""
    return step(scene, "label_flip", a_slice(scene), needs="concept")


def cost_up(scene: Scene) -> Step:
    """Answers cost 20 to 60 % more."""
    return step(scene, "cost_up", factors={"cost": scene.rng.uniform(1.2, 1.6)})


def prompt_longer(scene: Scene) -> Step:
    """A deployment with a longer prompt: 20 to 60 % more tokens, the same of cost, and slower answers."""
    more = scene.rng.uniform(0.2, 0.6)
    factors = {"tokens": 1 + more, "cost": 1 + more, "latency_p95": 1 + more / 2}
    return step(scene, "prompt_longer", factors=factors, deploys=True)


def refusals(scene: Scene) -> Step:
    """The assistant refuses more, and users notice: outcomes fall by 4 to 8 points."""
    return step(scene, "refusals", points={"outcome": -scene.rng.uniform(0.04, 0.08)})


def refusals_unseen(scene: Scene) -> Step:
    """The assistant refuses more, and only its text tells."""
    return step(scene, "refusals", needs="text")


def empty_answers(scene: Scene) -> Step:
    """4 to 8 points of answers are empty."""
    return step(scene, "empty_answers", points={"empty_answers": scene.rng.uniform(0.04, 0.08)})
