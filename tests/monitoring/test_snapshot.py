"""Evidently behind its door. One file for all that imports it: the import takes seconds."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring import snapshot as door
from monitoring.distances import jensen_shannon
from monitoring.snapshot import Compared, Score, Snapshot, build, pick, render
from services.errors import StateError

AT = datetime(2024, 6, 1, tzinfo=UTC)
HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "a'b\"c&d`",
]
RESERVED = ["index", "target", "prediction", "id", "per", "mean", "timestamp", "level_0", ""]

NORMAL = np.random.default_rng(2024).normal(0, 1, 1000)


@pytest.fixture(scope="module")
def hostile() -> Snapshot:
    """A report of everything that tries to break it."""
    values = [*HOSTILE * 100, *RESERVED * 100]
    features = [Compared(name, "number", NORMAL, NORMAL + 0.5) for name in [*HOSTILE, *RESERVED, "index"]]
    features += [Compared(name, "category", values, values[:600]) for name in [*HOSTILE, *RESERVED]]
    features += [
        Compared("gone", "number", NORMAL, []),
        Compared("constant", "number", np.ones(1000), NORMAL),
    ]
    return build(features, at=AT)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return


def test_thresholds_are_in_our_units() -> None:
    """Evidently's natural logarithms must not move the floor: 0.11 to base 2 passes a floor of 0.1."""
    reference, current = ["a"] * 500 + ["b"] * 500, ["a"] * 608 + ["b"] * 392
    distance = float(jensen_shannon(np.array([500, 500]), np.array([608, 392])))
    features = [Compared("x", "category", reference, current)]
    just_below, just_above = distance * 0.999, distance * 1.001

    assert build(features, at=AT, category=just_below).scores == (
        Score("x", "jensenshannon", just_below, pytest.approx(distance), True),
    )
    assert build(features, at=AT, category=just_above).scores[0].drifted is False


def test_each_feature_has_its_score(hostile: Snapshot) -> None:
    """Reserved, equal and hostile names reach the scores as they were given; who is left out says why."""
    names = [*HOSTILE, *RESERVED, "index"]
    numbers = hostile.scores[: len(names)]

    assert [score.name for score in hostile.scores] == [*names, *HOSTILE, *RESERVED, "gone", "constant"]
    assert [score.score for score in numbers] == pytest.approx([0.5 / NORMAL.std()] * len(names))
    assert [score.reason for score in hostile.scores[-2:]] == ["current_empty", "constant_reference"]
    assert all(score.reason == "" and score.score is not None for score in hostile.scores[:-2])


def test_hostile_text_reaches_neither_payload_nor_page(hostile: Snapshot) -> None:
    """Evidently escapes nothing, so nothing that needs it may come that far."""
    payload, page = gzip.decompress(hostile.payload).decode(), render(hostile.payload).decode()
    data = page[page.index("var metric_") : page.index("<body>")]

    assert all("\\u2039/script\\u203a\\u2039script\\u203a" in text for text in (payload, data))
    assert all(sign not in payload for sign in ("<script", "</script", "<img", 'b"c', "c&d"))
    assert data.count("<script") == 0
    assert data.count("</script") == 1  # the page's own
    assert "<img" not in data


def test_the_page_forbids_what_it_does_not_need(hostile: Snapshot) -> None:
    """The policy is the head's first element, without `sandbox`, which only works as a header."""
    page = render(hostile.payload).decode()

    assert page.startswith("<!DOCTYPE html>")
    assert (
        '<head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; script-src' in page
    )
    assert door.CONTENT_SECURITY_POLICY.startswith("sandbox allow-scripts; default-src 'none'")


@pytest.mark.needs("chromium")
def test_in_a_browser(hostile: Snapshot, tmp_path: Path) -> None:
    """The report draws itself, under its own policy, and no planted script runs."""
    page = tmp_path / "page.html"
    page.write_bytes(render(hostile.payload))
    chromium = shutil.which("chromium") or ""
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=8000",
        f"--user-data-dir={tmp_path}",
    ]

    seen = subprocess.run(
        [chromium, *flags, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout

    drawn = seen[seen.index("<body>") :]
    assert "Data drift detected" in drawn[drawn.index("root_metric_") : drawn.index("<script>")]
    assert "<title>owned</title>" not in seen


def test_same_input_same_bytes() -> None:
    """No random id, time or hash seed is left, in this process or another."""
    program = """
from datetime import UTC, datetime
from hashlib import sha256
from monitoring.snapshot import Compared, build, render
words = [f"{i:x}" for i in range(30)]
uneven = lambda k: [word for i, word in enumerate(words) for _ in range((i + k) ** 3 % 97)]
features = [
    Compared("n", "number", list(range(300)), list(range(50, 350))),
    *(Compared(f"c{k}", "category", uneven(k), uneven(k + 1)) for k in range(9)),
    Compared("c", "category", words * 20, [*words[:7] * 60, *words, "0b5bd21a-0000-7000-8000-000000000000"]),
]
made = [build(features, at=datetime(2024, 6, 1, tzinfo=UTC)) for _ in range(2)]
print(*(sha256(part).hexdigest() for each in made for part in (each.payload, render(each.payload))), made[0].scores)
assert b"0b5bd21a-0000-7000-8000-000000000000" in render(made[0].payload)
"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(door.__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(runs) == 1
    digests = runs.pop().split()[:4]
    assert digests[:2] == digests[2:]


@pytest.mark.usefixtures("no_network")
def test_nothing_phones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage reports are off even where the variable was removed, and no connection is tried."""
    monkeypatch.delenv("DO_NOT_TRACK")

    made = build([Compared("x", "number", NORMAL, NORMAL)], at=AT)
    assert os.environ["DO_NOT_TRACK"] == "1"

    monkeypatch.delenv("DO_NOT_TRACK")
    render(made.payload)
    assert os.environ["DO_NOT_TRACK"] == "1"


def test_tracking_is_off_before_the_import() -> None:
    """The variable counts at import; the door itself is cheap to open."""
    program = (
        "import os, sys; os.environ.pop('DO_NOT_TRACK', 0)\n"
        "import monitoring.snapshot\n"
        "assert not {'evidently', 'pandas', 'plotly'} & set(sys.modules), 'heavy import'\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'evidently': print(os.environ.get('DO_NOT_TRACK')); sys.exit()\n"
        "sys.meta_path.insert(0, Watch())\n"
        "monitoring.snapshot.render(b'')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(door.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout == "1\n"


def test_a_feature_that_breaks_evidently_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else goes wrong inside, the other features keep their report."""
    run = door._run

    def breaks(columns: Any, at: datetime) -> Any:
        if any(column.label == "bad" for column in columns):
            raise ZeroDivisionError
        return run(columns, at)

    monkeypatch.setattr(door, "_run", breaks)
    made = build([Compared(name, "number", NORMAL, NORMAL) for name in ("good", "bad", "fine")], at=AT)

    assert [score.reason for score in made.scores] == ["", "evidently_failed_ZeroDivisionError", ""]
    assert b"Data drift not detected" in gzip.decompress(made.payload)


def test_nothing_to_compare() -> None:
    """No feature, or none that can be compared, is no error: there is no report."""
    assert build([], at=AT) == Snapshot(b"", ())
    assert build([Compared("x", "number", [], [])], at=AT).payload == b""


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not gzip",
        gzip.compress(b"{"),
        gzip.compress(b"[]"),
        gzip.compress(b"\xff"),
        gzip.compress(b"{}" * 9)[:-9],
    ],
    # the bytes themselves hold the second they were packed in, and would be other names on another worker
    ids=["empty", "not gzip", "half of JSON", "a list", "not UTF-8", "cut short"],
)
def test_a_damaged_payload_says_so(payload: bytes) -> None:
    """What cannot be read is named, with what to do."""
    with pytest.raises(StateError, match=r"cannot be read: \w+\. .* run the night again"):
        render(payload)


def test_two_hundred_categories() -> None:
    """Many categories are compared, in little room."""
    values = [f"v{i % 200}" for i in range(5000)]

    made = build([Compared("x", "category", values, values)], at=AT)

    assert made.scores == (Score("x", "jensenshannon", 0.1, 0.0, False),)
    assert len(made.payload) < 20_000


def test_pick_takes_all_up_to_a_hundred() -> None:
    """Nothing is dropped before it must be."""
    names = [f"f{i}" for i in range(100)]

    assert pick(names, [None] * 100) == tuple(names)


def test_pick_takes_the_fifty_that_moved_most() -> None:
    """Beyond a hundred, in the order given; unknown effects come last, and ties keep their order."""
    names = [f"f{i}" for i in range(101)]
    effects = [float("nan"), None, *[float(i) for i in range(2, 101)]]

    assert pick(names, effects) == tuple(names[51:])
    assert pick(["a", "b", "c", "d"], [None, 1.0, float("nan"), 1.0], most=2, moved=3) == ("a", "b", "d")
