"""Reading service files: every problem of a file at once, in sentences that say what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import ValidationError

from services.errors import ServiceFileError
from services.home import Home
from services.model import Service
from services.problems import Step, key_path, nearest, place_of, sentence
from services.secret_text import secret_in
from services.strict_yaml import read_yaml

Query = Literal["requests", "feedback", "training"]

DEFAULTS = "_defaults.yaml"
_QUERIES: tuple[Query, ...] = ("requests", "feedback", "training")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def service_names(home: Home) -> tuple[str, ...]:
    """The services that have a file, in alphabetical order.

    Raises:
        ServiceFileError: the home has no folder `services`.
    """
    if not home.services.is_dir():
        raise ServiceFileError(
            f"{home.root} has no folder `services`. Set RONDA_HOME to the folder that holds it, or begin with `ronda init`."
        )
    return tuple(
        sorted(path.stem for path in home.services.glob("*.yaml") if not path.name.startswith(("_", ".")))
    )


def as_text(name: str) -> str:
    r"""A file's name, or an error with one in it, as text that can be stored: what is no UTF-8 in it is spelled.

    >>> as_text("caf\udce9")
    'caf\\udce9'
    """
    return name.encode("utf-8", "backslashreplace").decode()


def read_service(name: str, home: Home) -> Service:
    """Read `services/<name>.yaml` over the home's `_defaults.yaml` over the defaults ronda comes with.

    Mappings are merged key by key; anything else given nearer to the service replaces what is farther.

    Raises:
        ServiceFileError: with one line for each problem of the file. No secret is repeated in it.
    """
    path = _path(name, home)
    layers: dict[Path, dict[str, Any]] = {}  # nearest to the service first
    problems: list[str] = []
    for file in (path, *_defaults(home)):
        layers[file], noted, text = read_yaml(file)
        problems += [_in_file(problem, file, path) for problem in (*noted, *_secrets(layers[file], text))]
    merged = _merged(*reversed(layers.values()))
    problems += _named_otherwise(merged, name)
    service, wrong = _validated(merged)
    problems += [_in_file(line, _holder(layers, location), path) for location, line in wrong]
    problems += [_in_file(line, path, path) for line in _missing_queries(merged, home)]
    if service is None or problems:
        raise ServiceFileError(_message(path, problems))
    return service


def read_query(service: Service, home: Home, which: Query) -> str:
    """The text of one of the service's extraction queries.

    Raises:
        ServiceFileError: the service names no such query, or its file is missing, empty or not UTF-8.
    """
    named = {"requests": service.requests, "feedback": service.feedback, "training": service.training}[which]
    if named is None:
        raise ServiceFileError(
            f"{_file(service, home)}: `{which}` is missing. Name the SQL file that reads it, below {home.root}."
        )
    return _query(_file(service, home), which, named, home)


def read_guard(service: Service, home: Home, guard: str) -> str:
    """The text of a guard's query.

    Raises:
        ServiceFileError: the service has no such guard, or its file is missing, empty or not UTF-8.
    """
    if guard not in service.guards:
        known = ", ".join(service.guards) or "none"
        raise ServiceFileError(
            f"{_file(service, home)} has no guard {guard[:80]!r} under `guards`. There are: {known}."
        )
    return _query(_file(service, home), f"guards.{guard}.query", service.guards[guard].query, home)


def _file(service: Service, home: Home) -> Path:
    return home.services / f"{service.service}.yaml"


def _query(where: Path, key: str, named: PurePath, home: Home) -> str:
    try:
        query = (home.root / named).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ServiceFileError(
            f"{where}: `{key}` names {named}, which cannot be read: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ServiceFileError(
            f"{where}: `{key}` names {named}, which is not UTF-8 text. Save it as UTF-8."
        ) from None
    if not query.strip():
        raise ServiceFileError(f"{where}: `{key}` names {named}, which is empty. Write a SELECT in it.")
    return query


def _path(name: str, home: Home) -> Path:
    names = service_names(home)
    if _NAME.fullmatch(name) and name in names:
        return home.services / f"{name}.yaml"
    near = nearest(name, names)
    known = (
        f"Did you mean {near!r}?"
        if near
        else f"There are: {', '.join(map(as_text, names)) or 'none yet; begin with `ronda init`'}."
    )
    if name in names:
        known = "Name the file with a to z, 0 to 9 and _, beginning with a letter."
    elif _NAME.fullmatch(name) and (home.services / f"{name}.yml").exists():
        known = f"There is {name}.yml; rename it to {name}.yaml."
    raise ServiceFileError(f"there is no service {name[:80]!r} in {home.services}. {known}")


def _defaults(home: Home) -> list[Path]:
    shipped, own = Path(__file__).parent / DEFAULTS, home.services / DEFAULTS
    if own.exists():
        return [shipped] if own.samefile(shipped) else [own, shipped]
    # a link to a file that is gone is not the same as no file: what it said would be missing without a word
    return [own, shipped] if own.is_symlink() else [shipped]


def _merged(under: Mapping[str, Any], *over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for layer in over:
        for key, value in layer.items():
            below = merged.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[key] = _merged(below, value)
            else:
                merged[key] = value
    return merged


def _validated(merged: dict[str, Any]) -> tuple[Service | None, list[tuple[tuple[Step, ...], str]]]:
    try:
        return Service.model_validate(merged), []
    except ValidationError as error:
        return None, [
            (place_of(wrong), sentence(wrong))
            for wrong in error.errors(include_url=False)
            if wrong["type"] != "default_factory_not_called"  # what it would have been made of is told
        ]


def _holder(layers: Mapping[Path, dict[str, Any]], location: Sequence[Step]) -> Path:
    return next((path for path, data in layers.items() if _holds(data, location)), next(iter(layers)))


def _holds(data: Any, location: Sequence[Step]) -> bool:
    for step in location:
        inside = isinstance(data, Mapping) and step in data
        if not inside and not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            return False
        data = data[step]
    return True


def _in_file(problem: str, file: Path, path: Path) -> str:
    shown = "a key or value that looks like a secret is wrong" if secret_in(problem) else problem
    return shown if file == path else f"in {file}: {shown}"


def _named_otherwise(merged: Mapping[str, Any], name: str) -> list[str]:
    found = merged.get("service", name)
    if found == name or not isinstance(found, str) or not _NAME.fullmatch(found):
        return []
    return [f"`service` is {found!r}, but the file is named {name}.yaml. Make the two equal."]


def _missing_queries(merged: Mapping[str, Any], home: Home) -> list[str]:
    named: dict[str, str] = {key: merged[key] for key in _QUERIES if isinstance(merged.get(key), str)}
    guards = merged.get("guards")
    for name, guard in guards.items() if isinstance(guards, Mapping) else ():
        if isinstance(guard, Mapping) and isinstance(guard.get("query"), str):
            named[f"guards.{name[:70]}.query"] = guard["query"]
    return [
        f"`{key}` names {path[:200]!r}, and there is no such file below {home.root}. Write it, or mend the path."
        for key, path in named.items()
        if not Path(path).is_absolute() and ".." not in Path(path).parts and not _is_file(home.root / path)
    ]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is longer than any file's can be
        return False


def _secrets(data: Mapping[str, Any], text: str) -> list[str]:
    advice = "Keep it in an environment variable, and change it if anyone may have read it"
    found = [
        f"`{key_path(location)}` holds {kind}. {advice}"
        + (": write `source: ${NAME}`." if location == ("source",) else ".")
        for location, value in _leaves(data)
        if (kind := secret_in(str(value)))
    ]
    if found:
        return found
    lines = enumerate(text.splitlines(), start=1)  # comments too
    return [f"line {number} holds {kind}. {advice}." for number, line in lines if (kind := secret_in(line))]


def _leaves(data: Any, location: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    if not isinstance(data, Mapping | list):
        yield location, data
        return
    for step, value in data.items() if isinstance(data, Mapping) else enumerate(data):
        yield from _leaves(value, (*location, step))


def _message(path: Path, problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return f"{path}: {problems[0]}"
    return "\n  ".join([f"{path} has {len(problems)} problems:", *problems])
