"""The guards of a night: what each query gives, or why it gives nothing."""

from __future__ import annotations

from monitoring import text
from monitoring.guards import guard
from monitoring.records import Number
from ronda.check_row import Row, part_in_words, refusal
from services.errors import NightError, SourceError
from services.window import Night
from store.watch import Watch

_OF = {"up": "worse when higher", "down": "worse when lower", "either": "worse either way"}


def guard_rows(watch: Watch, night: Night) -> list[Row]:
    """One row for each guard; one that fails hides none of the others."""
    return [_row(watch, name, night) for name in watch.service.guards]


def _row(watch: Watch, name: str, night: Night) -> Row:
    what, given = f"guard {name}", watch.service.guards[name]
    try:
        number = guard(watch, name, night)
    except (SourceError, NightError) as error:
        return refusal(what, error)
    if number.value is None:
        advice = "Nothing was counted that night. Name another one with --date."
        return Row(what, f"{night.name}: no share, as `denominator` is 0", "warning", advice)
    found = f"{night.name}: {_in_words(number)}; {_OF[given.worse]}"
    if number.denominator is not None and (given.floor or 0) >= 1:
        advice = f"No share moves by {given.floor:g}: write points, such as 0.02 for two, in `guards.{name}.floor`."
        return Row(what, found, "warning", advice)
    return Row(what, found)


def _in_words(number: Number) -> str:
    if number.numerator is not None and number.denominator is not None:
        return part_in_words(number.numerator, number.denominator)
    assert number.value is not None
    # a whole amount may be a count of people
    small = number.value.is_integer() and text.is_small(int(number.value))
    return text.count("en", int(number.value)) if small else text.number("en", number.value)
