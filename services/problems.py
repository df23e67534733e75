"""What pydantic found wrong in a service file, in plain sentences: key path, what was found, what is right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from services.model import Service
from services.secret_text import secret_in

Step = int | str
"""One step of a key path: a key, or the place in a list counted from zero."""

_EXAMPLES = {
    "service": "service: flight_delay",
    "owner": 'owner: "@eta-team"',
    "slack": 'slack: "#eta-oncall"',
    "source": "source: ${FLIGHTS_URL}",
    "requests": "requests: sql/flight_delay/requests.sql",
    "event": "event: landed",
    "positive": 'positive: "delay_min > 15"',
    "window": "window: 24h",
    "query": "query: sql/shop/checkout.sql",
    "from": "from: 2026-11-27",
    "what": 'what: "Black Friday"',
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("of at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("of at most", "le"),
}
_NEEDED = (
    (r"string_.*", 'Write text; put it in quotes if it looks like a number, yes or no, as in "200"'),
    (r"path_type", "Write the path of a file as text"),
    (r"int_.*", "Write a whole number"),
    (r"float_.*|finite_number", "Write a number"),
    (r"bool_.*", "Write true or false"),
    (r"date_.*", "Write a day, such as 2026-11-27"),
    (r"(tuple|list)_type", "Write a list, such as [origin, carrier]"),
    (r"(dict|model)_.*", "Write keys with values below it"),
)


def key_path(location: Sequence[Step]) -> str:
    """A key path as a person writes it.

    >>> key_path(("features", "rules", "wind", "min"))
    'features.rules.wind.min'
    >>> key_path(("slices", 1))
    'slices[1]'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(
        "."
    )


def place_of(error: ErrorDetails) -> tuple[Step, ...]:
    """The key path of an error; where a key itself is wrong, that of the mapping it stands in."""
    location = error["loc"]
    return location[:-2] if error["type"] == "value_error" and location[-1] == "[key]" else location


def sentence(error: ErrorDetails) -> str:
    """One line for one error of pydantic's, without its words, its address or anything secret."""
    location, kind, found = place_of(error), error["type"], error["input"]
    where = f"`{key_path(location)}`"
    if kind == "missing":
        example = _EXAMPLES.get(str(location[-1]), f"{key_path(location[-1:])}: …")
        return f"{where} is missing. Add it, for example {example}"
    if kind == "extra_forbidden":
        return _unknown_key(location)
    if found is None or kind == "string_too_short":
        return (
            f"{where} is empty. {_needed(kind)}, or take the key out. Text that begins with # needs quotes."
        )
    if kind == "value_error":
        return f"{where} holds a secret." if secret_in(str(found)) else f"{where}: {error['ctx']['error']}"
    return f"{where} is {_shown(found)}. {_right(error)}"


def _right(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return _one_of(str(error["input"]), re.findall(r"'([^']*)'", context["expected"]))
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"Write a number {words} {context[limit]:g}."
    if kind == "string_too_long":
        return f"Write at most {context['max_length']} characters."
    if error["loc"] == ("service",):
        return "Use a to z, 0 to 9 and _, beginning with a letter, 63 characters at most."
    return f"{_needed(kind)}."


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word most like this one, if any is like it."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), None)


def _unknown_key(location: Sequence[Step]) -> str:
    key, known = str(location[-1]), known_keys(location[:-1])
    below = f" in `{key_path(location[:-1])}`" if location[:-1] else ""
    near = nearest(key, known)
    advice = f"did you mean `{near}`?" if near else f"known there: {', '.join(known)}."
    return f"unknown key {_shown(key, '`')}{below}; {advice}"


def known_keys(location: Sequence[Step]) -> list[str]:
    """The keys a service file may have below this key path, as they are written there."""
    section: type[BaseModel] | None = Service
    in_mapping = False
    for step in location:
        if in_mapping or isinstance(step, int):  # the name of a feature, or a place in a list
            in_mapping = False
        elif section is not None:
            annotation = next(
                (f.annotation for n, f in section.model_fields.items() if step in {n, f.alias}), None
            )
            section, in_mapping = _section_in(annotation), get_origin(annotation) is dict
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def _one_of(found: str, known: Sequence[str]) -> str:
    near = nearest(found, known)
    meant = f"Did you mean `{near}`? " if near else ""
    return f"{meant}It is one of: {', '.join(known)}."


def _needed(kind: str) -> str:
    return next(
        (words for pattern, words in _NEEDED if re.fullmatch(pattern, kind)), "It cannot be used here"
    )


def _shown(found: object, quote: str = "") -> str:
    if isinstance(found, bool):
        return "yes or true" if found else "no or false"
    if isinstance(found, dict | list):
        return "a mapping" if isinstance(found, dict) else "a list"
    text = found if quote and isinstance(found, str) else repr(found)
    short = text if len(text) <= 60 else text[:57] + "..."
    return "(not shown)" if secret_in(str(found)) else f"{quote}{short}{quote}"
