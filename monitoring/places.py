"""Where a change is, in words."""

from __future__ import annotations

from monitoring import amounts
from monitoring.records import OF, Slice
from monitoring.story import Affected, Where
from monitoring.text import roughly, say, short
from services.slices import pairs


def in_words(found: Where, language: str) -> str:
    """The slices that are affected, each with what is usual and what was tonight."""
    places, against = (
        ", ".join(_place(each, language) for each in some) for some in (found.most, found.against)
    )
    if found.rest:
        places = say(language, "story.where.more", places=places, n=found.rest)
    return say(language, f"story.where.{found.kind}", places=places, against=against)


def part_in_words(part: Slice, language: str) -> str:
    """A part of the traffic: each of its columns with its value, or what it is if it is no value.

    >>> part_in_words(Slice("city × app", "Recife × ios"), "en")
    'city = Recife, app = ios'
    """
    if part.value.startswith(OF):  # no value of its own
        return f"{short(part.dimension)}: {say(language, 'cell.' + part.value.removeprefix(OF))}"
    return ", ".join(f"{short(column)} = {short(value)}" for column, value in pairs(*part))


def _place(each: Affected, language: str) -> str:
    if each.line.format == "count":  # roughly, or what is left of the whole could be a small count
        value, usual = (
            roughly(language, round(amount))
            for amount in (each.line.value or 0.0, each.line.usual[0] if each.line.usual else 0.0)
        )
    else:
        value = amounts.tonight(each.line, language, digits=0)
        usual = amounts.usual(each.line, language, digits=0)
    told = say(language, "story.new" if each.is_new else "story.change", usual=usual, value=value)
    return f"{part_in_words(each.slice, language)} ({told})"
