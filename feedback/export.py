"""What a release holds of each row, and what its manifest says of the whole."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from feedback.records import LabelRule, NightRows, Wanted
from services.columns import REQUEST_COLUMNS
from services.errors import UsageError
from services.model import Service, as_plain
from services.personal import looks_personal_name, masked
from services.window import Window, nights_between
from store.canonical import canonical_json, sha256_of
from store.statement import KEPT, Reading

_INSTANT = pa.timestamp("us", "UTC")
_BEFORE: tuple[tuple[str, Any, str], ...] = (
    ("request_id", pa.string(), "id"),
    ("time", _INSTANT, "time"),
    ("night", pa.date32(), "time"),
    ("model_version", pa.string(), "deployment"),
    ("prediction", None, "prediction"),  # a number or a word, as served
    ("subject_key", pa.string(), "id"),
)
_AFTER: tuple[tuple[str, Any, str], ...] = (
    ("label", pa.int8(), "label"),
    ("known_at", _INSTANT, "time"),
    ("service", pa.string(), "provenance"),
    ("outcome", pa.string(), "provenance"),
    ("outcome_sha256", pa.string(), "provenance"),
)
_OURS = {name for name, _, _ in (*_BEFORE, *_AFTER)} | {"reason", "left_out", "joined", "state"}

_NEVER_MASKED = {"request_id", "subject_key", "service", "outcome", "outcome_sha256"}


@dataclass(frozen=True)
class Provenance:
    """Where the rows of one night come from; it stands in every one of them."""

    service: str
    outcome: str
    outcome_sha: str
    night: date


def schema_of(features: Mapping[str, Reading], prediction: Reading) -> pa.Schema:
    """The columns of a release: what identifies a row, what was served, its label, where it comes from."""
    served = [(name, _type(reading)) for name, reading in features.items()]
    before = [(name, kind or _type(prediction)) for name, kind, _ in _BEFORE]
    return pa.schema([*before, *served, *[(name, kind) for name, kind, _ in _AFTER]])


def refuse_features(service: str, features: Iterable[str]) -> None:
    """Hold that nothing about a person, and none of our own columns, comes in as a feature.

    Raises:
        UsageError: naming the column.
    """
    for name in features:
        hit = looks_personal_name(name)
        if hit or REQUEST_COLUMNS.get(name) in {"id", "text", "time"}:
            found = hit.kind if hit else "an id, a time or a text"
            raise UsageError(
                f"{service}: column {name} cannot be released as a feature: by its name it is {found}. "
                "Leave it out of the features."
            )
        if name in _OURS:
            raise UsageError(
                f"{service}: a release has a column {name} of its own. Give the feature another name in the query."
            )


def dressed(rows: pa.Table, schema: pa.Schema, source: Provenance, key: bytes) -> pa.Table:
    """Curated rows as a release keeps them: user ids hashed, provenance added, in the schema's order.

    Args:
        rows: the features, `label`, `known_at`, and whichever of `user_id`, `model_version` and
            `prediction` the log has; those it has not become null.
        schema: of `schema_of`.
        source: of the rows' night.
        key: what user ids are hashed with.
    """
    size = rows.num_rows
    given = {name: rows[name] for name in rows.column_names}
    given |= {
        "night": pa.repeat(pa.scalar(source.night), size),
        "service": pa.repeat(source.service, size),
        "outcome": pa.repeat(source.outcome, size),
        "outcome_sha256": pa.repeat(source.outcome_sha, size),
    }
    if "user_id" in given:
        given["subject_key"] = subject_keys(given["user_id"], key)
    columns = [given.get(field.name, pa.nulls(size, field.type)) for field in schema]
    dressed_rows = pa.table(columns, names=schema.names).cast(schema)
    for place, field in enumerate(schema):
        if pa.types.is_string(field.type) and field.name not in _NEVER_MASKED:
            dressed_rows = dressed_rows.set_column(place, field, without_personal(dressed_rows[field.name]))
    return dressed_rows


def without_personal(texts: pa.ChunkedArray) -> pa.Array:
    """The texts, each that is or holds an e-mail, CPF, phone, card or the like replaced by what it was.

    >>> without_personal(pa.chunked_array([["app", "ana@example.com", None]])).to_pylist()
    ['app', 'masked_e_mail', None]
    """
    encoded = pc.dictionary_encode(texts.combine_chunks())
    safe = [masked(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(safe, pa.string()).take(encoded.indices)


def subject_keys(ids: pa.ChunkedArray, key: bytes) -> pa.Array:
    """HMAC-SHA256 of each user id, as 64 hex digits; null where there is no id.

    Whoever has the key can find a person's rows (to erase them); nobody else can tell who they are.
    """
    encoded = pc.dictionary_encode(ids.combine_chunks())
    hashed = [_keyed(value, key) for value in encoded.dictionary.to_pylist()]
    return pa.array(hashed, pa.string()).take(encoded.indices)


def facts_of(
    service: Service,
    window: Window,
    wanted: Wanted,
    rule: LabelRule,
    nights: list[NightRows],
    schema: pa.Schema,
    rows_sha: str,
) -> dict[str, Any]:
    """All that a manifest says of a release's origin and content; nothing in it depends on when it was made."""
    matured = {night.outcome.night for night in nights}
    every = nights_between(window.first, window.last, service.time_zone)
    counts = _sum(night.counts for night in nights)
    origin = {
        "format": 1,
        "name": f"{service.service}-{rule.name}",
        "service": service.service,
        "owner": service.owner,
        "service_sha256": sha256_of(as_plain(service)),
        "reference_sha256": wanted.reference_sha,
        "code_commit": wanted.code_commit,
        "outcome": rule.plain,
        "window": {**_plain_window(window), "time_zone": service.time_zone},
        "not_mature": [night.name for night in every if night.date not in matured],
    }
    return origin | {
        "schema": _schema_plain(schema),
        "rows_sha256": rows_sha,
        "rows_read": sum(counts.values()),
        "rows_kept": counts.get(KEPT, 0),
        "counts": counts,
        "labels": {"0": 0, "1": 0} | _sum(night.labels for night in nights),
        "model_versions": _sum(night.versions for night in nights),
        "requests_gone": sum(night.gone for night in nights),
        "nights": [_night_plain(night) for night in nights],
    }


def version_of(facts: Mapping[str, Any]) -> str:
    """A release's version: 16 hex digits of the sha256 of all that its manifest says of content and origin.

    Not of the files' bytes, which depend on the version of the Parquet writer, and not of the time.
    """
    return sha256_of(dict(facts))[:16]


def manifest_of(facts: Mapping[str, Any], version: str, files: Mapping[str, Path]) -> dict[str, Any]:
    """The facts with the version they have, and the sha256 and size of each file."""
    described = {
        name: {"sha256": _file_sha(path), "bytes": path.stat().st_size} for name, path in files.items()
    }
    return {**facts, "version": version, "files": described}


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as canonical JSON with a closing line end."""
    return canonical_json(dict(manifest)) + b"\n"


def _schema_plain(schema: pa.Schema) -> list[dict[str, str]]:
    roles = {name: role for name, _, role in (*_BEFORE, *_AFTER)}
    return [
        {"name": field.name, "type": str(field.type), "role": roles.get(field.name, "feature")}
        for field in schema
    ]


def _night_plain(night: NightRows) -> dict[str, Any]:
    return {
        "night": night.outcome.night.isoformat(),
        "outcome_sha256": night.outcome.content_sha,
        "rows_read": sum(night.counts.values()),
        "counts": dict(sorted(night.counts.items())),
        "labels": dict(sorted(night.labels.items())),
        "requests_gone": night.gone,
    }


def _plain_window(window: Window) -> dict[str, str]:
    ends = {"first": window.first, "last": window.last, "start": window.start, "end": window.end}
    return {name: moment.isoformat() for name, moment in ends.items()}


def _sum(counts: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sorted(sum(counts, Counter[str]()).items()))


def _type(reading: Reading) -> pa.DataType:
    return pa.float64() if reading in {"number", "parsed"} else pa.string()


def _keyed(user_id: str | None, key: bytes) -> str | None:
    return hmac.digest(key, user_id.encode(), "sha256").hex() if user_id else None


def _file_sha(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
