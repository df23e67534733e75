"""A number's last nights as a picture: what it holds, that it is always the same, and what it never tells."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from monitoring.chart import HEIGHT, WIDTH, png
from monitoring.records import NumberLine
from services.errors import UsageError

ROOT = Path(__file__).parents[2]
PAST: list[float | None] = [0.031, 0.034, 0.036, None, 0.033, 0.035, 0.032, 0.037, 0.034]
RED, BAND, PAST_INK = (0xD1, 0x24, 0x2F), (0xDF, 0xE3, 0xE8), (0x40, 0x56, 0x6E)
OWN_SETTINGS = (
    "font.size: 40\nlines.linewidth: 9\nfigure.facecolor: red\npath.snap: False\ntext.antialiased: False\n"
)
ELSEWHERE = """
import hashlib, logging
logging.basicConfig(level=logging.INFO)
from test_chart import line
from monitoring.chart import png
print(hashlib.sha256(png(line(), "Late", "en")).hexdigest())
"""


def number_line(name: str, value: float | None, past: list[float | None], **given: Any) -> NumberLine:
    """A number whose history ends the night before, and whose usual is made of that."""
    night = date(2026, 5, 12)
    known = [each for each in past if each is not None]
    plain: dict[str, Any] = {
        "subject": "",
        "numerator": None,
        "denominator": None,
        "format": "share",
        "history": tuple((night - timedelta(days=len(past) - i), each) for i, each in enumerate(past)),
        "usual": (fmean(known), pstdev(known)) if len(known) >= 7 else None,
        "of_night": night,
    }
    return NumberLine(name=name, value=value, **(plain | given))


def line(**given: Any) -> NumberLine:
    return replace(number_line("outcome", 0.081, PAST), **given)


def pixels(picture: bytes) -> npt.NDArray[np.uint8]:
    """Shape (height, width, 3); the title is in the upper 64 rows."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def seen(picture: bytes, colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Where a colour is below the title, shape (height - 64, width)."""
    there: npt.NDArray[np.bool_] = (pixels(picture)[64:] == colour).all(axis=2)
    return there


def columns(picture: bytes, colour: tuple[int, int, int]) -> list[int]:
    """Where a colour is to be seen, in pixels from the left."""
    return [int(x) for x in np.flatnonzero(seen(picture, colour).any(axis=0))]


def rows(picture: bytes, colour: tuple[int, int, int]) -> list[int]:
    """Where a colour is to be seen, in pixels from below the title down."""
    return [int(y) for y in np.flatnonzero(seen(picture, colour).any(axis=1))]


def test_it_is_a_picture_of_its_size_that_tells_nothing_of_its_making() -> None:
    """Slack shows a PNG; a time or a version in it would make two of the same differ."""
    picture = png(line(), "Late", "en")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    image = Image.open(io.BytesIO(picture))
    assert image.size == (WIDTH, HEIGHT) == (900, 360)
    assert set(image.info) <= {"dpi"}
    assert len(picture) < 100_000


def test_tonight_is_the_last_and_the_band_lies_behind() -> None:
    """Red to the right of the past, above the band it has left; no band where the usual is not known."""
    picture = png(line(), "Late", "en")
    assert min(columns(picture, RED)) > max(columns(picture, PAST_INK)) - 30
    assert max(rows(picture, RED)) < min(rows(picture, BAND))
    low = png(line(value=0.001), "Late", "en")
    assert min(rows(low, RED)) > max(rows(low, BAND))
    assert columns(png(line(usual=None), "Late", "en"), BAND) == []


def test_a_constant_past_has_a_band() -> None:
    """No spread is no reason to show nothing."""
    constant = number_line("outcome", 0.4, [0.25] * 9)
    assert constant.usual == (0.25, 0.0)
    assert rows(png(constant, "", "en"), BAND)


def test_a_night_that_is_not_known_is_a_gap() -> None:
    """The line is broken, not drawn through; nights before the first known one take no room."""
    whole = [0.03] * 20
    broken = [*whole[:8], *[None] * 5, *whole[13:]]
    pictures = [png(number_line("outcome", 0.03, past), "", "en") for past in (whole, broken)]
    none, some = (max(b - a for a, b in pairwise(columns(picture, PAST_INK))) for picture in pictures)
    assert none <= 30
    assert some > 100
    assert png(number_line("outcome", 0.03, [None, None, *whole]), "", "en") == png(
        number_line("outcome", 0.03, [*whole]), "", "en"
    )


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(line(value=None), id="no value"),
        pytest.param(line(value=float("nan")), id="not a number"),
        pytest.param(number_line("outcome", 0.08, []), id="no past"),
        pytest.param(number_line("outcome", 0.08, [None, 0.03, None]), id="one night"),
        pytest.param(line(value=0.6, numerator=3, denominator=5), id="a share of few, which is not written"),
    ],
)
def test_nothing_to_draw_is_nothing(nothing: NumberLine) -> None:
    """An empty picture would be worse than none."""
    assert png(nothing, "Late", "en") == b""


def test_two_nights_are_enough() -> None:
    """And their dates do not overlap."""
    assert png(number_line("outcome", 0.08, [0.03, 0.04]), "Late", "en")


def test_the_same_bytes_each_time_whoever_draws() -> None:
    """Nothing of the drawing before, and nothing of the settings that a program made, is left in it."""
    first = png(line(), "Late", "en")
    png(line(value=0.5), "Another", "pt")
    before = dict(mpl.rcParams.copy())
    level = logging.getLogger("matplotlib").level
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 40, "text.parse_math": True}):
        assert png(line(), "Late", "en") == first
        assert mpl.rcParams["lines.linewidth"] == 9
    assert dict(mpl.rcParams.copy()) == before
    assert logging.getLogger("matplotlib").level == level
    assert png(line(), "Late", "pt") != first


def test_settings_and_home_of_whoever_runs_it_change_nothing(tmp_path: Path) -> None:
    """A matplotlibrc where it is run, and a home that nothing can be written to: same bytes, not a word in the log."""
    (tmp_path / "matplotlibrc").write_text(OWN_SETTINGS, encoding="utf-8")
    (tmp_path / "home").write_text("a file, so nothing can be made in it", encoding="utf-8")
    own = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL"))}
    paths = os.pathsep.join(map(str, (ROOT, Path(__file__).parent, ROOT / "tests" / "shared")))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ELSEWHERE],
        cwd=tmp_path,
        env=own | {"HOME": str(tmp_path / "home"), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip() == hashlib.sha256(png(line(), "Late", "en")).hexdigest()


def share_of(few: int, whole: int = 1200) -> NumberLine:
    parts = tuple((n, whole) for n in (40, few, 52, 44, 0, 47, 39, 61, 10 - few))
    given = {"numerator": few, "denominator": whole, "parts": parts}
    return number_line("errors", few / whole, [part / whole for part, whole in parts], **given)


@pytest.mark.parametrize("past", [pytest.param([few, 30, 0], id=str(few)) for few in (2, 4, 9)])
def test_counts_that_differ_in_a_small_one_alone_look_alike(past: list[int]) -> None:
    """Neither tonight's nor one before can be measured, off whichever pixel."""
    some = [float(n) for n in (*past, 40, 52, 44, 47, 39, 61)]
    like = [float(n) for n in (1, *past[1:], 40, 52, 44, 47, 39, 61)]
    pictures = {
        png(number_line("errors", float(past[0]), some, format="count"), "Late", "en"),
        png(number_line("errors", 1.0, like, format="count"), "Late", "en"),
    }
    assert len(pictures) == 1


def test_shares_that_differ_in_a_small_count_alone_look_alike() -> None:
    """Three or eight of 1,200, tonight and before, are the same picture; so are all but so many."""
    assert len({png(share_of(few), "Late", "en") for few in (1, 3, 8, 9)}) == 1
    all_but = [replace(line(), value=1 - n / 1200, numerator=1200 - n, denominator=1200) for n in (3, 8)]
    assert len({png(each, "Late", "en") for each in all_but}) == 1
    assert len({png(line(value=n / 1200, numerator=n, denominator=1200), "", "en") for n in (30, 80)}) == 2


@pytest.mark.parametrize(
    "title",
    [
        "$\\frac{1}{2}$ and $broken",
        "\\undefined{$x_1^2$}",
        "one\nline\ttwo\x00three\x1b[31m",
        "sa\u202egpj.exe \u2067שלום\u2069 عربي",
        "late " * 400,
        "W" * 10_000,
        "🔥 🇧🇷 👩‍👩‍👧 ✅ late",
        "東京 遅延 \U000e0041 \uffff \ud800",
        "Z" + "\u0300\u0301\u030b\u0316\u0489" * 50,
        "<b>late</b> & {x} %s %(y)s",
        "",
        "\u200d\ufe0f  ",
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_title_is_drawn_and_nothing_else_changes(title: str) -> None:
    """No formula, no error, no warning of a letter the font lacks; below its strip not a pixel differs."""
    picture = png(line(), title, "en")
    assert np.array_equal(pixels(picture)[64:], pixels(png(line(), "Late", "en"))[64:])


def test_a_formula_is_not_one() -> None:
    """Signs of money are shown as they are: each takes its room."""
    widths = [title_width(title) for title in ("$100$ $200$", "100 200")]
    assert widths[0] > widths[1] + 40


def test_a_long_title_ends_within_the_picture() -> None:
    """Cut with an ellipsis, not by the edge."""
    assert WIDTH - 120 < title_width("late again " * 30) <= WIDTH - 20


def title_width(title: str) -> int:
    """Where it ends, in pixels from the left."""
    return int(np.flatnonzero((pixels(png(line(), title, "en"))[:64] < 128).any(axis=(0, 2)))[-1])


@pytest.mark.parametrize("form", ["share", "count", "ms", "number"])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-320, 1e14, 1e299])
@pytest.mark.filterwarnings("error")
def test_any_number_can_be_drawn(form: Any, value: float) -> None:
    """Neither its size nor the length of its words leaves the drawing no room; what is beyond floats is a gap."""
    value = min(value, 1.0) if form == "share" else value
    odd = None if form == "count" else float("inf")
    history = tuple((date(2026, 5, 1 + i), v) for i, v in enumerate([0.0, value, odd, 0.0, value, None, 0.0]))
    drawn = png(line(value=value, history=history, format=form, usual=(value, 0.0)), "", "en")
    at = columns(drawn, PAST_INK)
    assert at[-1] - at[0] > 200


def test_an_unknown_language_says_which_are_known() -> None:
    """The error names what was found and what would be right."""
    with pytest.raises(UsageError, match=r"language 'de'.*en, pt"):
        png(line(), "Late", "de")
