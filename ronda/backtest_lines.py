"""What a backtest came to in a few lines, as freezing a reference says it in passing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from statistics import median_high
from typing import Any

from monitoring import text
from monitoring.backtest import Backtest
from monitoring.backtesting import record_backtest
from monitoring.delays import TIMES
from monitoring.records import ALL_ROWS, Slice
from monitoring.verdicts.judge import JUDGEABLE
from services.slices import pairs
from store.watch import Watch


def in_passing(watch: Watch, now: datetime) -> str:
    """Record a backtest after a reference was frozen; what it came to in a few lines.

    Raises:
        StateError: state or lake refuse.
    """
    service = watch.service.service
    found = record_backtest(watch, now, in_passing=True)
    if found is None:
        return (
            f"  backtest   none yet; with eight nights known `ronda check {service} --backtest` makes one. Until one is made "
            "the first seven nights arrive in the morning's message, as what would have been said"
        )
    return "\n".join(lines(found))


def plain_in_passing(watch: Watch, now: datetime) -> dict[str, Any] | None:
    """The same as `in_passing` for machines; None where there is none."""
    found = record_backtest(watch, now, in_passing=True)
    if found is None:
        return None
    return {
        "nights": found.nights,
        "pages": len(found.pages),
        "pages_a_month": round(found.pages_a_month, 2),
    }


def lines(found: Backtest) -> Iterator[str]:
    """False pages a month, how long changes go unnoticed, what can be seen, and floors to change; a line each."""
    yield f"  backtest   {said(found)}"
    if found.delays:
        yield f"  unnoticed  {'; '.join(_delay(found, times) for times in TIMES)}"
    if found.usual_sights:
        yield f"  seen from  {_sights(found)}"
    yield f"  floors     {_floors(found)}"
    yield f"  in full    ronda check {found.service} --backtest"


def said(found: Backtest) -> str:
    """How many messages there would have been, as a sentence or two."""
    nights = f"{counted(found.nights, 'night')} replayed, {found.first} to {found.last}"
    if not found.pages:
        return f"{nights}: no message would have been sent."
    return (
        f"{nights}: {counted(len(found.pages), 'message')} would have been sent. If nothing of it was real, that is "
        f"{found.pages_a_month:.1f} false pages a month."
    )


def counted(many: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "night"), counted(2000, "night")
    ('1 night', '2,000 nights')
    """
    return f"{many:,} {noun}{'' if many == 1 else 's'}"


def in_floors(floors: float | None) -> str:
    """An effect in floors; None where nothing can be seen."""
    return "nothing yet" if floors is None else f"{floors:.1f} floors"


def place_of(where: Slice) -> str:
    """A slice in words."""
    parts = (f"{column} = {value or '(empty)'}" for column, value in pairs(*where))
    return "all requests" if where == ALL_ROWS else ", ".join(parts)


def name_of(measure: str, feature: str) -> str:
    """What is measured, in words.

    >>> name_of("distribution", "fare"), name_of("null_share", "fare"), name_of("errors", "")
    ('fare', 'nulls of fare', 'errors')
    """
    words = {
        "distribution": "",
        "null_share": "nulls of ",
        "unseen_share": "new values of ",
        "guard": "guard ",
    }
    return f"{words.get(measure, '')}{feature}" if feature else measure.replace("_", " ")


def _delay(found: Backtest, times: int) -> str:
    """The middle one of the changes over all rows that are so many floors large, and of how many."""
    own = [each for each in found.delays if each.times == times and not each.slice]
    tries = [night for each in own for night in each.told]
    told = sorted(night for night in tries if night is not None)
    size = counted(times, "floor")
    if not tries:
        return f"{size}: there can be none"
    if not told:
        return f"{size}: none of {len(tries)} told in {max(each.within for each in own)} nights"
    return f"{size}: {counted(median_high(told), 'night')}, {len(told)} of {len(tries)} told"


def _sights(found: Backtest) -> str:
    first, *others = found.usual_sights
    whole = f"{in_floors(first.floors)} over {place_of(first.slice)}"
    if not others:
        return whole
    dim = sum(each.floors is None or each.floors > JUDGEABLE for each in others)
    return f"{whole}; above {JUDGEABLE:g} floors in {dim} of {counted(len(others), 'slice')}"


def _floors(found: Backtest) -> str:
    shown = ", ".join(f"{each.setting} {each.now:g} to {each.proposed:g}" for each in found.quieter[:3])
    more = f" and {len(found.quieter) - 3} more" if len(found.quieter) > 3 else ""
    quieter = f"if those nights were ordinary, {shown}{more}; " if found.quieter else "none to raise; "
    if found.beyond:
        told = "; ".join(
            f"{name_of(each.measure, each.feature)} in {place_of(each.slice)} on {each.night}"
            for each in found.beyond[:2]
        )
        rest = f" and {len(found.beyond) - 2} more" if len(found.beyond) > 2 else ""
        far = f"an incident seems to lie in these nights, {text.short(told, 200)}{rest}; "
    else:
        far = ""
    return f"{text.short(quieter, 300)}{far}{found.unheld_in_all} of {counted(found.unheld_of, 'measure')} cannot hold theirs"
