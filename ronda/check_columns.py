"""The columns of a view: whether those that are needed are there, and what ronda takes each for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from monitoring import text
from monitoring.extract import OPERATIONS, Layout
from monitoring.survey import KEPT_CELLS
from ronda.check_personal import Role
from ronda.check_row import Column, Row, Verdict, names_in_words
from services.columns import DEPLOYMENT_COLUMNS, REQUEST_COLUMNS
from services.model import Service
from services.problems import nearest
from services.slices import crosses

_PEOPLE = frozenset({"author", "approved_by"})


def needed(view: str, file: str, columns: Mapping[str, str], required: Collection[str]) -> Iterator[Row]:
    """A failed row for each required column that is not there, or is no time though it must be one."""
    for name in required:
        if name not in columns:
            yield Row(
                f"columns, {view}",
                f"{file} yields no `{name}`; it yields {names_in_words(tuple(columns)) or 'nothing'}",
                "failed",
                _like(name, columns, f"Yield the column that holds it AS {name}"),
            )
        elif name in {"time", "known_at"} and columns[name] != "time":
            yield Row(
                f"columns, {view}",
                f"`{name}` is a {columns[name]}, not a time",
                "failed",
                f"Cast it in {file}, for example CAST({name} AS TIMESTAMPTZ) AS {name}.",
            )


def named(service: Service, columns: Mapping[str, str]) -> Iterator[Row]:
    """What the service file says of columns that the requests view does not have, or has as something else."""
    features = service.features
    places = (
        ("slices", tuple(name for name in service.slices if name not in crosses(service.slices)), True),
        ("features.only", features.only or (), True),
        ("features.not", features.not_, False),
        ("features.calendar", features.calendar, False),
        ("features.rules", tuple(features.rules), False),
    )
    for place, names, is_needed in places:
        for name in names:
            if name not in columns:
                advice = _like(name, columns, f"Add it to {service.requests}, or take it out of `{place}`")
                verdict: Verdict = "failed" if is_needed else "warning"
                yield Row(
                    "columns, requests", f"`{place}` names `{name}`, which is no column", verdict, advice
                )
    for cross, parts in crosses(service.slices).items():
        missing = [part for part in parts if part not in columns]
        if missing:
            lacks = f"`{text.short(cross, 80)}` of `slices` lacks {names_in_words(missing)}"
            yield Row(
                "columns, requests",
                lacks,
                "failed",
                f"Add what it lacks to {service.requests}, or take it out of `slices`.",
            )
    for name, rule in features.rules.items():
        found = columns.get(name)
        if rule.type in {"number", "category"} and found in {"time", "other"}:
            advice = f"Cast it in {service.requests}, or change its type."
            yield Row(
                "types", f"`{name}` is declared a {rule.type}; the source has a {found}", "failed", advice
            )


def taken_for(
    service: Service, view: str, columns: Mapping[str, str], chosen: Layout, many: Collection[str]
) -> list[Column]:
    """What each column of a view is taken for.

    Args:
        many: columns of text with too many different values to be a category.
    """
    return [
        Column(view, name, engine, *_taken(service, name, engine, chosen, many))
        for name, engine in columns.items()
    ]


def crosses_of(view: str, chosen: Layout) -> list[Column]:
    """The crosses of a view: columns that it does not have, made of those that it has."""
    return [
        Column(
            view,
            name,
            "category",
            "slice",
            f"cross of {names_in_words(parts)}; at most its {KEPT_CELLS} commonest cells",
        )
        for name, parts in chosen.crosses.items()
    ]


def roles(
    service: Service, columns: Mapping[str, str], chosen: Layout, many: Collection[str]
) -> dict[str, Role]:
    """What becomes of the values of each column of a requests or training view."""
    return {name: _role(service, name, engine, chosen, many) for name, engine in columns.items()}


def _taken(
    service: Service, name: str, engine: str, chosen: Layout, many: Collection[str]
) -> tuple[str, str]:
    also = "slice" if name in service.slices else ""
    if name in many or name in chosen.ignored:
        return also or "ignored", _reason("too_many_values" if name in many else chosen.ignored[name])
    if name in chosen.kinds:
        return f"{chosen.kinds[name]} feature", also
    return _canonical(name, engine, chosen, also)


def _canonical(name: str, engine: str, chosen: Layout, also: str) -> tuple[str, str]:
    if name in chosen.operations:
        return f"operation ({'category' if chosen.readings[name] == 'category' else 'number'})", also
    if name in DEPLOYMENT_COLUMNS or name in _PEOPLE:
        return "deployment", also
    if name in OPERATIONS:  # canonical, but of a type that cannot be counted
        return "ignored", f"{name} should be a number, and is a {engine}"
    if name == "user_id":
        return "id", "kept only as a keyed hash"
    kind = REQUEST_COLUMNS[name]
    why = "never counted, never stored" if kind == "text" else ""
    return also or {"category": "not read yet"}.get(kind, kind), why


def _role(service: Service, name: str, engine: str, chosen: Layout, many: Collection[str]) -> Role:
    special: dict[str, Role] = {
        "request_id": "kept_id",
        "user_id": "hashed",
        **dict.fromkeys(_PEOPLE, "people"),
    }
    if name in special:
        return special[name]
    if name in service.slices or (name in chosen.kinds and name not in many):
        return "counted"
    if REQUEST_COLUMNS.get(name) == "category" or (name in chosen.operations and engine == "category"):
        return "counted"
    # refused by name only: it would be a feature otherwise
    by_name = chosen.ignored.get(name, "").startswith("personal_data_") and engine in {"number", "category"}
    return "counted" if by_name else "unstored"


def _reason(word: str) -> str:
    kind = word.removeprefix("personal_data_")
    return f"looks like {kind.replace('_', ' ')}" if kind != word else text.term("en", "reason", word)


def _like(name: str, columns: Mapping[str, str], otherwise: str) -> str:
    near = nearest(name, tuple(columns))
    return f"Did you mean `{text.short(near, 60)}`? {otherwise}." if near else f"{otherwise}."
