"""Whatever numbers a night has, its story can be told: no exception on the one night that needs it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitoring import message
from monitoring.explain import explain
from monitoring.records import OF, DeploymentLine, NightPage, NumberLine
from monitoring.report import render
from monitoring.standing import LOUD
from services.model import Service

NIGHT = date(2026, 5, 12)
SERVICE = Service.model_construct(
    service="eta", owner="@x" * 500, mention="", runbook="", page_base_url="", language="en", time_zone="UTC"
)
NAMES = ("outcome", "errors", "volume", "null_share", "prediction", "latency_ms")
SHARES = st.floats(0, 1)
NUMBERS = st.one_of(st.floats(-1e300, 1e300), st.just(0.0), st.floats(0, 1e-9))
WORDS = st.text(max_size=400)


@st.composite
def numbers(draw: st.DrawFn, suffix: str = "") -> NumberLine:
    """A number of any size beside any past."""
    name = draw(st.sampled_from(NAMES))
    plain = name in {"prediction", "latency_ms"}
    value_of = NUMBERS if plain else st.integers(0, 10**7).map(float) if name == "volume" else SHARES
    steady = st.sampled_from([draw(value_of), draw(value_of)])
    past = draw(st.lists(st.none() | steady, min_size=draw(st.sampled_from([0, 10])), max_size=28))
    known = [value for value in past if value is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = (float(np.mean(known)), float(np.std(known))) if len(known) >= 7 else (0.0, 0.0)
    usual = (
        (mean, deviation) if len(known) >= 7 and math.isfinite(mean) and math.isfinite(deviation) else None
    )
    value = draw(st.none() | value_of)
    whole = draw(st.integers(0, 10**7))
    share = not plain and name != "volume"
    return NumberLine(
        name + suffix,
        draw(WORDS) + (OF + draw(WORDS) if suffix else ""),
        value,
        round(value * whole) if share and value is not None else None,
        whole if share else None,
        "share" if share else "count" if name == "volume" else draw(st.sampled_from(["number", "ms"])),
        tuple((NIGHT - timedelta(days=len(past) - n), each) for n, each in enumerate(past)),
        usual,
        NIGHT - timedelta(days=draw(st.integers(0, 3))),
    )


@settings(max_examples=150)
@given(
    lines=st.lists(numbers(), max_size=6),
    places=st.lists(numbers(".slice"), max_size=8),
    kept=st.sampled_from([1000, 1000, 1000, 500, 0]),
    language=st.sampled_from(["en", "pt"]),
    words=WORDS,
)
def test_every_night_can_be_told(
    lines: list[NumberLine], places: list[NumberLine], kept: int, language: str, words: str
) -> None:
    """Page and message are made, within what Slack takes: 3,000 signs a section, 12,000 in all."""
    page = NightPage(
        service="eta", owner=words, night=NIGHT, time_zone="America/New_York", revision=1, language=language,
        rows_read=1000, counts={"kept": kept, "outside_night": 1000 - kept}, quarantine={}, numbers=tuple(lines),
        features=(), deployments=(DeploymentLine(words, words, words, "", words, words, words, "2026-05-12T03:00+00:00", 5),),
        join={}, reference=words, own_traffic=False, changed=words, snapshot_href="", places=tuple(places), says=words,
        critical=("volume", "errors", "schema"), noun=words[:40],
    )  # fmt: skip
    story = explain(page)
    event(story.state)
    assert render(page, story).startswith("<!doctype html>")
    if story.state in LOUD:
        sections = [
            block["text"]["text"] for block in message.alert(page, story, SERVICE, "eta/x.html")["blocks"]
        ]
        assert all(0 < len(section) <= 3000 for section in sections)
        assert sum(map(len, sections)) < 12_000


def test_the_longest_message_is_whole(changed: NightPage, make: Any) -> None:
    """Long names in every place still leave a message that Slack takes, with its first step."""
    long = "ä" * 5_000
    lines = tuple(
        make.number_line(
            "null_share", 0.9, [0.2, 0.21] * 7, subject=f"{n}{long}", numerator=900, denominator=1000
        )
        for n in range(6)
    )
    page = replace(changed, numbers=lines, owner=long, says=long, service=long)
    blocks = message.alert(page, explain(page), SERVICE, "x")["blocks"]
    assert max(len(block["text"]["text"]) for block in blocks) <= 3000
    assert "*First step*" in blocks[1]["text"]["text"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_not_told(changed: NightPage, make: Any, value: float) -> None:
    """It is known to be unknown: nothing is said of it, and nothing breaks."""
    line = make.number_line("prediction", value, [0.2, 0.21] * 7, format="number")
    page = replace(changed, numbers=(line,))
    render(page, explain(page))
