"""The service file that `init` writes: a few lines that count, and every other setting as a comment.

The comments are made from the model and from `_defaults.yaml`, so that no setting can be forgotten.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import services.read
from services.model import Service
from services.problems import known_keys

_WHAT: Mapping[str, str] = {
    "service": "",
    "owner": "who answers for it",
    "slack": "where they are told",
    "source": "a folder of Parquet, a DuckDB file, a PostgreSQL URL in a variable, or airflow:CONNECTION",
    "requests": "what was asked and answered",
    "feedback": "what users did with the answers",
    "slices": "groups that are looked at one by one; a*b adds the cross of two",
    "time_zone": "whose days the nights are",
}
_OFF: Mapping[str, str] = {
    "feedback": "sql/{name}/feedback.sql   # switch on: a query of what users did: event_id, request_id, type, value, time, known_at",
    "training": "sql/{name}/training.sql   # switch on: what the training pipeline has for the same requests; shows skew",
    "slices": "[]                # columns of few values whose groups are looked at one by one",
    "mention": '""               # the Slack id of a person or group that messages notify, such as S0614TZR7',
    "runbook": '""               # an address that messages link to',
    "noun": '""                  # what one request is, in the plural: orders, answers',
    "guards": '{{paid: {{query: sql/{name}/paid.sql, worse: down, floor: 0.02, says: ""}}}}   # switch on: numbers of the business; see docs/service-file.md',
    "planned": '[{{from: 2099-11-27, to: 2099-11-30, what: "Black Friday", affects: [volume], holiday: false}}]   # what is known to be unusual wakes nobody',
    "until": "2099-12-31         # the last night that is watched, for a service that ends",
    "retrain": '{{trainer: "my_team.trainer:fit", held_out_nights: 7}}   # switch on: makes a model of each dataset',
    "page_base_url": '""         # where the pages are served; messages link there',
    "language": "en             # or pt",
}
_OUTCOME = '{{event: {event}, positive: "value == down", window: 1d, name: outcome, says: ""}}   # switch on: what makes an answer good or bad'
_FEATURES: Mapping[str, str] = {
    "only": "[a_column]       # these columns and no others are features",
    "not": "[]                # every number and every column of few values is one, but these",
    "calendar": "[]           # say when a request came; never judged",
    "rules": "",
}
_RULE: Mapping[str, str] = {
    "type": "number        # or category, text, calendar",
    "unit": "km",
    "required": "true      # rows without it are set aside",
    "min": "0              # below: set aside",
    "max": "100            # above: set aside",
    "allowed": "[a, b]     # other values: set aside",
    "floor": "0.2          # smaller changes of it are not worth telling",
}


def service_file(active: Mapping[str, object], table: str, event: str = "thumb") -> str:
    """The text of a service file.

    Args:
        active: key -> value of what is switched on; at most 12 keys.
        table: the table that was looked at, for the first line.
        event: a type of event that occurs, for the example of an outcome.
    """
    lines = [
        f"# {_one_line(table)} under watch. Everything behind a # is off, or as it would be anyway.",
        *_active(active),
        "",
        "# --- Off. Take the # away to switch it on.",
        *(f"# {line}" for line in _off(active, event)),
        "",
        "# --- As it is when nothing is said. Take the # away to change it.",
        *(f"# {line}" for line in _defaults(active)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def scalar(value: object) -> str:
    r"""A value as YAML on one line; text from a source is always quoted and keeps no sign that would end the line.

    >>> scalar("carrier"), scalar(["a b", "no"]), scalar('say "hi"\n# x')
    ('carrier', '["a b", "no"]', '"say \\"hi\\"\\n# x"')
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(scalar, value)) + "]"
    text = str(value)
    plain = re.fullmatch(r"\$\{\w+\}|[A-Za-z][\w./-]*", text, re.ASCII) is not None
    if plain and isinstance(yaml.safe_load(text), str):
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=100_000).strip()


def _active(active: Mapping[str, object]) -> Iterator[str]:
    for key, value in active.items():
        line = f"{key}: {scalar(value)}"
        what = _WHAT.get(key, "")
        yield f"{line:<39} # {what}" if what else line


def _off(active: Mapping[str, object], event: str) -> Iterator[str]:
    """Every setting that is neither switched on nor in `_defaults.yaml`, with an example or its default."""
    shipped = yaml.safe_load(_shipped())
    for key in known_keys(()):
        field = _field(Service, key)
        if key in active or key in shipped:
            continue
        if key == "outcome":
            yield f"outcome: {_OUTCOME.format(event=scalar(event))}"
        elif key == "features":
            yield "features:"
            yield from (f"  {line}" for line in _features())
        else:
            yield f"{key}: {_OFF.get(key, _default(field)).format(name=active['service'])}"


def _features() -> Iterator[str]:
    features = _section(_field(Service, "features"))
    for key in known_keys(("features",)):
        yield f"{key}: {_FEATURES.get(key, _default(_field(features, key)))}"
        if key == "rules":
            yield "  a_column:"
            rules = known_keys(("features", "rules", "a_column"))
            yield from (f"    {rule}: {_RULE.get(rule, '…')}" for rule in rules)


def _defaults(active: Mapping[str, object]) -> Iterator[str]:
    for line in _shipped().splitlines():
        key = line.partition(":")[0]
        if not line.startswith("#") and key not in active:
            yield line


def _shipped() -> str:
    return (Path(services.read.__file__).parent / services.read.DEFAULTS).read_text(encoding="utf-8")


def _field(section: type[BaseModel], key: str) -> FieldInfo:
    return next(field for name, field in section.model_fields.items() if key in {name, field.alias})


def _section(field: FieldInfo) -> type[BaseModel]:
    kinds = [field.annotation, *get_args(field.annotation)] if _is_union(field) else [field.annotation]
    return next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))


def _is_union(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is types.UnionType


def _default(field: FieldInfo) -> Any:
    made = field.get_default(call_default_factory=True)
    return "…" if made is PydanticUndefined or made is None else scalar(made)


def _one_line(text: str) -> str:
    return scalar(text)
