"""Personal data in a view: a column that would be kept or shown fails the check, any other is a warning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from monitoring import text
from ronda.check_row import Row
from services.personal import could_be_personal, looks_personal_name, personal_in_values

Role = Literal["counted", "kept_id", "people", "hashed", "unstored"]
"""What becomes of a column's values: `counted` ones stand in tables and on pages, a `kept_id` in quarantine lists,
`people` are colleagues shown on pages, a `hashed` one is kept as a keyed hash, `unstored` ones nowhere."""

_BY_ITSELF = 1000
"""Up to this many different values are looked at one by one, too: more are no category and are never kept."""

_KEY = re.compile(r'"((?:[^"\\]|\\.){1,80})"\s*:')
_LEAF = re.compile(r'"((?:[^"\\]|\\.)*)"|(?<![\w.])([0-9]{10,19})(?![\w.])')
_ADVICE: Mapping[Role, str] = {
    "counted": "Leave it out with `features: {{not: [{name}]}}` (and out of `slices`), or mask it in {file}; "
    "a name that only looks so can be changed there with AS.",
    "kept_id": "Ids of quarantined rows are kept: yield another id, or a hash, in {file}.",
    "people": "It is shown on pages; yield a team's name in {file} if it should not be.",
    "unstored": "Nothing to do: it is never stored. Take it out of {file} if nothing needs it.",
}


def personal_rows(
    view: str, file: str, roles: Mapping[str, Role], values: Mapping[str, Sequence[str]]
) -> list[Row]:
    """What in a view looks like personal data, by the names of its columns and by some of their values.

    Args:
        view, file: the view and its query, for messages.
        roles: every column of the view -> what becomes of its values.
        values: column -> different values that were looked at, as text. They are never repeated in a row.
    """
    found = [
        row for name, role in roles.items() if (row := _judged(view, file, name, role, values.get(name, ())))
    ]
    looked = len(roles)
    return found or [
        Row(f"personal data, {view}", f"none seen in {looked} columns, by name or in the rows looked at")
    ]


def kinds_in(name: str, values: Sequence[str], *, by_name: bool = True) -> list[str]:
    """The kinds of personal data a column speaks of or holds, as `e-mail (by its name)`.

    >>> kinds_in("contact", ["ana@example.com"]), kinds_in("user_email", [])
    (['e-mail (in its values)'], ['e-mail (by its name)'])
    >>> kinds_in("metadata", ['{"cpf": "1"}']), kinds_in("city", ["Recife"])
    (['CPF (in a key of its values)'], [])
    """
    named = looks_personal_name(name) if by_name else None
    kinds = {named.kind: "by its name"} if named else {}
    kinds |= {hit.kind: "in its values" for hit in personal_in_values(values) if hit.kind not in kinds}
    for key in {key for value in values if value[:1] in "{[" for key in _KEY.findall(value)}:
        inside = looks_personal_name(key)
        if inside:
            kinds.setdefault(inside.kind, "in a key of its values")
    return [f"{kind} ({how})" for kind, how in kinds.items()]


def suspects_in(values: Sequence[str]) -> list[str]:
    """The kinds that single values could be, with nothing beside them to tell.

    >>> suspects_in(["a", "52998224725"]), suspects_in(['{"doc": 52998224725}'])
    (['CPF'], ['CPF'])
    """
    if len(values) > _BY_ITSELF:
        return []
    return sorted({kind for value in values for part in _parts(value) if (kind := could_be_personal(part))})


def _parts(value: str) -> Iterator[str]:
    if value[:1] not in "{[":
        yield value
        return
    for quoted, digits in _LEAF.findall(value):
        yield quoted or digits


def _judged(view: str, file: str, name: str, role: Role, values: Sequence[str]) -> Row | None:
    if role == "hashed":
        return None
    kinds = kinds_in(name, values, by_name=role not in {"kept_id", "people"})
    suspects = [] if kinds or role == "kept_id" else suspects_in(values)
    if not kinds and not suspects:
        return None
    shown = text.short(name, 60)
    failed = bool(kinds) and role in {"counted", "kept_id"}
    seen = "looks like " + ", ".join(kinds) if kinds else f"has values that could be {', '.join(suspects)}"
    advice = _ADVICE[role].format(name=shown, file=file)
    return Row(f"personal data, {view}", f"`{shown}` {seen}", "failed" if failed else "warning", advice)
