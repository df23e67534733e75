"""A number's last nights as a PNG, for a message read on a phone. The door to Matplotlib, imported in functions only.

Small counts cannot be read off it, however exactly it is measured: what is drawn is `monitoring.amounts.blurred`, what
is written of tonight is a bound, and the axis of a count has no mark between 0 and 10. All is laid out here in pixels
from the lower left; Matplotlib holds the pen. The same number gives the same bytes.
"""

from __future__ import annotations

import io
import logging
import math
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from monitoring.amounts import blurred, tonight
from monitoring.axis import Axis, axis_of, mark_words, marks
from monitoring.records import NumberLine
from monitoring.text import brief_day, say, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

WIDTH, HEIGHT = 900, 360
"""Pixels."""

_EDGE, _HEAD = 20, 64  # what is left free at the sides, and the strip above, of the title
_BOTTOM, _TOP = 66, 278  # where the lowest and the highest mark lie
_TITLE, _VALUE, _LABEL = 34, 42, 27  # sizes of letters: read where a phone shows the picture at 400 pixels
_INK, _GREY, _BAND, _RULE, _PAST, _NOW = "#1d1c1d", "#5c5f66", "#dfe3e8", "#d5d8dc", "#40566e", "#d1242f"
_WIDEST = 260  # of a label at either side
_GAP = 14  # between a label and what it belongs to; half of tonight's dot
_APART = 44  # the lines of two labels nearer than this would touch
_TITLE_LENGTH = 120  # of letters; more never fit
_UNSEEN = "\u200d\ufe0e\ufe0f"  # they hold together or choose pictures, of which the letters have none
_LARGEST = 1e300  # beyond it the difference of two values is no number any more


@dataclass(frozen=True)
class _Picture:
    """All that is told.

    Attributes:
        past: a value per night, the first of them known; NaN where a night has none.
        band: both edges of the usual range; empty where it is not known.
        dates: of the first night, of one in the middle, and of tonight.
    """

    title: str
    past: tuple[float, ...]
    value: float
    written: str
    band: tuple[float, ...]
    usual: str
    axis: Axis
    marks: tuple[tuple[float, str], ...]
    dates: tuple[str, ...]


def png(line: NumberLine, title: str, language: str) -> bytes:
    """The nights before as a line with dots, the usual range behind (mean ± 2 standard deviations), tonight in red.

    Args:
        line: the number; a night that is not known is a gap.
        title: any text; it is cut to one line, and what cannot be drawn is left out or shown as U+FFFD.

    Returns:
        A PNG of 900 × 360 pixels; empty where there is nothing to see: no value tonight, or fewer than 2 nights before.

    Raises:
        UsageError: there are no sentences in this language.
    """
    picture = _picture(line, title, language)
    if picture is None:
        return b""
    with _quiet_defaults():
        return _drawn(picture)


# What is told


def _picture(line: NumberLine, title: str, language: str) -> _Picture | None:
    shown = blurred(line)
    written = tonight(line, language)
    known = [i for i, (_, value) in enumerate(shown.history) if _is_drawable(value)]
    if shown.value is None or not _is_drawable(shown.value) or written == "–" or len(known) < 2:
        return None
    history = shown.history[known[0] :]
    past = tuple(value if value is not None and _is_drawable(value) else math.nan for _, value in history)
    band = _usual_range(shown)
    axis = axis_of(line.format, [*(value for value in past if not math.isnan(value)), shown.value, *band])
    days = [*(day for day, _ in history), line.of_night]
    return _Picture(
        title=title,
        past=past,
        value=shown.value,
        written=written,
        band=band,
        usual=say(language, "chart.usual") if band else "",
        axis=axis,
        marks=tuple((mark, mark_words(language, line.format, axis, mark)) for mark in marks(axis)),
        dates=tuple(brief_day(language, days[i], line.of_night) for i in _dated(len(days))),
    )


def _dated(nights: int) -> tuple[int, int, int]:
    return 0, (nights - 1) // 2, nights - 1


def _is_drawable(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and abs(value) < _LARGEST


def _usual_range(line: NumberLine) -> tuple[float, ...]:
    """Both edges; what no such number can be is left out. Empty where it is not known."""
    if line.usual is None:
        return ()
    mean, spread = line.usual
    edges = mean - 2 * spread, mean + 2 * spread
    if not all(map(_is_drawable, edges)):
        return ()
    least = -_LARGEST if line.format == "number" else 0.0
    most = 1.0 if line.format == "share" else _LARGEST
    return tuple(min(most, max(least, edge)) for edge in edges)


# How it is drawn


@contextmanager
def _quiet_defaults() -> Iterator[None]:
    """Matplotlib as it comes: nobody's settings, and not a word in the log, such as of a home it may not write to.

    Both belong to the process and are put back afterwards: one thread draws at a time.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        import matplotlib as mpl  # noqa: PLC0415 - takes a second, and most commands draw nothing

        names = set(mpl.rcParamsDefault) - {"backend"}
        plain: dict[Any, Any] = {name: mpl.rcParamsDefault[name] for name in names}
        with mpl.rc_context(plain | {"text.parse_math": False}):
            yield
    finally:
        logger.setLevel(level)


def _drawn(picture: _Picture) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    # at 72 dots per inch a point, which letters and lines are measured in, is a pixel
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="white")
    FigureCanvasAgg(figure)
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    sheet.axis("off")
    _draw_title(sheet, picture.title)
    _draw_number(sheet, picture)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw_number(sheet: Axes, picture: _Picture) -> None:
    marks = [(_height(picture.axis, mark), _fitted(_text(sheet, words))) for mark, words in picture.marks]
    written = _fitted(_text(sheet, picture.written, _VALUE, _NOW, bold=True))
    usual = _text(sheet, picture.usual)
    left = _EDGE + max(_width(words) for _, words in marks) + _GAP
    right = WIDTH - _EDGE - max(_width(written), _width(usual)) - _GAP
    now = _height(picture.axis, picture.value)
    band = [_height(picture.axis, edge) for edge in picture.band]
    nights = len(picture.past)
    at = [round(left + _GAP + (right - left - 2 * _GAP) * i / nights) for i in range(nights + 1)]
    _draw_frame(sheet, left, right, [height for height, _ in marks], band)
    _draw_nights(sheet, at, [*(_height(picture.axis, value) for value in picture.past), now])
    for height, words in marks:
        _put(words, left - _GAP, height, "right")
    _put(written, right + _GAP, now)
    if band:
        _put(usual, right + _GAP, _beside(now, fmean(band)))
    _draw_dates([_text(sheet, words) for words in picture.dates], [at[i] for i in _dated(len(at))])


def _height(axis: Axis, value: float) -> float:
    """Pixels from below; NaN stays what it is."""
    height = _BOTTOM + (value - axis.low) / (axis.high - axis.low) * (_TOP - _BOTTOM)
    return height if math.isnan(height) else round(height)


def _beside(taken: float, wanted: float) -> float:
    """Where a label stands that would be at `wanted`, were there none at `taken`: as near to it as can be read."""
    if abs(wanted - taken) >= _APART:
        return wanted
    above = wanted >= taken
    if not _BOTTOM <= taken + (_APART if above else -_APART) <= _TOP:
        above = not above
    return taken + (_APART if above else -_APART)


def _draw_frame(sheet: Axes, left: float, right: float, marks: list[float], band: list[float]) -> None:
    if band:
        half = max(2, (band[1] - band[0]) / 2)  # that of a constant is seen, too
        middle = fmean(band)
        sheet.fill_between([left, right], middle - half, middle + half, color=_BAND, linewidth=0)
    sheet.hlines(marks, left, right, color=_RULE, linewidth=1)


def _draw_nights(sheet: Axes, at: list[int], heights: list[float]) -> None:
    dot = min(12, max(5, 0.6 * (at[1] - at[0])))
    sheet.plot(at, heights, color=_PAST, linewidth=3.5, marker="o", markersize=dot)
    (now,) = sheet.plot(at[-1:], heights[-1:], color=_NOW, marker="o", markersize=2 * _GAP)
    now.set(markeredgecolor="white", markeredgewidth=3)


def _draw_dates(dates: list[Text], at: list[int]) -> None:
    """Below their nights: the first to the right of its, tonight's about it; the middle one only where it has room."""
    wide = [_width(words) for words in dates]
    end = min(WIDTH - _EDGE - wide[2], at[2] - wide[2] // 2)  # where tonight's begins
    starts = [at[0] - _GAP, at[1] - wide[1] // 2, end]
    for words, start in zip(dates, starts, strict=True):
        _put(words, start, _BOTTOM - 36)
    taken = starts[0] + wide[0] + 2 * _GAP
    dates[1].set_visible(taken < starts[1] and starts[1] + wide[1] + 2 * _GAP < end)
    dates[0].set_visible(taken < end)


def _draw_title(sheet: Axes, title: str) -> None:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - as above

    words = _writable(short(title, _TITLE_LENGTH), FT2Font(str(_letters(bold=True))).get_charmap())
    text = _text(sheet, words, _TITLE, _INK, bold=True)
    while words and _width(text) > WIDTH - 2 * _EDGE:
        words = words[:-1]
        text.set_text(f"{words.rstrip()}…")
    _put(text, _EDGE, HEIGHT - _HEAD / 2)


def _writable(words: str, known: Mapping[int, int]) -> str:
    """Words of signs that the letters have; pictures they lack are left out, and what else they lack is U+FFFD."""
    drawn = "".join(sign if ord(sign) in known else _instead(sign) for sign in words if sign not in _UNSEEN)
    return " ".join(drawn.split())


def _instead(sign: str) -> str:
    return "" if unicodedata.category(sign)[0] in "SMC" else "\ufffd"


def _text(sheet: Axes, words: str, size: int = _LABEL, colour: str = _GREY, *, bold: bool = False) -> Text:
    return sheet.text(0, 0, words, font=_letters(bold=bold), size=size, color=colour)


def _letters(*, bold: bool) -> Path:
    """Those that come with Matplotlib: a machine's own differ from another's."""
    import matplotlib as mpl  # noqa: PLC0415 - as above

    return Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")


def _fitted(text: Text) -> Text:
    """Words made smaller where they would leave the drawing too little room."""
    text.set_fontsize(float(text.get_fontsize()) * min(1.0, _WIDEST / max(1, _width(text))))
    return text


def _width(text: Text) -> int:
    return math.ceil(text.get_window_extent().width)


def _put(text: Text, x: float, y: float, align: Literal["left", "right"] = "left") -> None:
    text.set(x=x, y=y, horizontalalignment=align, verticalalignment="center_baseline")
