"""The door to Evidently: a second opinion on every feature, computed on compact columns.

Evidently is imported inside functions only (it takes seconds and 300 MB), and only in this file. What it is
given has been made harmless first: it puts names and values into HTML unescaped, one bad column kills its
whole report, and without a named method it changes its test with the number of rows. `ValueDrift` with method
and threshold named is all that is used of it.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from math import isnan, log, sqrt
from typing import Any

import numpy as np

from monitoring.comparable import Column, Compared, Score, ready
from services.errors import StateError

__all__ = ["CONTENT_SECURITY_POLICY", "Compared", "Score", "Snapshot", "build", "pick", "render"]

logger = logging.getLogger(__name__)

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

TO_BASE_2 = 1 / sqrt(log(2))
"""Evidently's Jensen-Shannon distance uses natural logarithms; times this it is to base 2, as ours is."""

CONTENT_SECURITY_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
"""The header a rendered report must be served with.

`sandbox` without `allow-same-origin` gives the page an origin of its own, so that no cookie of the site it is
served from is within its reach. The rest of the policy also stands in the page, as a meta element for people
who open it as a file (nothing can be fetched or sent then either); browsers ignore `sandbox` there, so the
element does not replace the header.
"""


@dataclass(frozen=True)
class Snapshot:
    """One Evidently report.

    Attributes:
        payload: what `render` makes the page of, compressed; empty when no feature could be compared.
            Same input, same bytes (with the same version of Evidently).
        scores: one for each feature that was given, in the same order.
    """

    payload: bytes
    scores: tuple[Score, ...]


def pick(
    names: Sequence[str], effects: Sequence[float | None], most: int = 100, moved: int = 50
) -> tuple[str, ...]:
    """All features if there are at most `most`, else the `moved` with the greatest effects; in given order.

    Effects of numbers and of categories have different units: give each divided by its floor. A feature
    without an effect (None or NaN) comes last.

    >>> pick(["a", "b", "c"], [0.1, None, 0.3], most=2, moved=1)
    ('c',)
    """
    if len(names) <= most:
        return tuple(names)
    known = [-1.0 if effect is None or isnan(effect) else effect for effect in effects]
    first = sorted(range(len(names)), key=lambda i: -known[i])[:moved]
    return tuple(names[i] for i in sorted(first))


def build(
    features: Sequence[Compared],
    *,
    at: datetime,
    number: float = 0.1,
    category: float = 0.1,
    enough: int = 200,
) -> Snapshot:
    """Compare every feature with Evidently. A feature it cannot compare is left out, with the reason.

    Args:
        features: what is compared, shown in this order.
        at: time that stands in the report, such as the night's start.
        number: threshold for numbers, in standard deviations of the reference.
        category: threshold for categories, Jensen-Shannon distance to base 2.
        enough: with fewer values on either side a feature is left out (`few_rows`): Evidently itself
            would call a single row drift.
    """
    thresholds = {"number": number, "category": category}
    columns = ready(features, thresholds, enough)
    report, failed = _run_without_failures([column for column in columns if not column.score.reason], at)
    results = {} if report is None else dict(_results(report))
    scores = [_judged(each.score, results.get(each.label), failed.get(each.label)) for each in columns]
    return Snapshot(b"" if report is None else _payload(report), tuple(scores))


def render(payload: bytes) -> bytes:
    """The report as one HTML file that loads nothing; serve it with `CONTENT_SECURITY_POLICY` only.

    About 4 MB, nearly all of it the same script, whatever the data: so it is made when asked for. Same
    payload, same bytes.

    Raises:
        StateError: the payload is empty, cut short or not one of ours.
    """
    _forbid_tracking()
    from evidently.core.report import Snapshot as Report  # noqa: PLC0415 - takes seconds

    try:
        report = Report.loads(gzip.decompress(payload).decode())
    except (EOFError, OSError, zlib.error, ValueError, TypeError) as error:
        raise StateError(
            f"Evidently's snapshot ({len(payload)} bytes) cannot be read: {type(error).__name__}. It is empty "
            "when no feature could be compared; else the file is damaged: remove it and run the night again."
        ) from error
    html: str = report.get_html_str(as_iframe=False)
    html = _with_fixed_ids(html, sha256(payload).hexdigest())
    policy = CONTENT_SECURITY_POLICY.removeprefix("sandbox allow-scripts; ")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return html.replace("<head>", f"<head>{meta}", 1).lstrip().encode()


def _with_fixed_ids(html: str, digest: str) -> str:
    """The page's own random ids, replaced: one of the page, one of the group of widgets."""
    page = re.search(r'id="root_metric_([0-9a-f]{32})"', html)
    html = html.replace(page[1], digest[:32]) if page else html
    return re.sub(f'"id": "{_UUID.pattern}"', '"id": "group"', html)


def _forbid_tracking() -> None:
    """Evidently reports usage unless this is set when it is imported."""
    os.environ["DO_NOT_TRACK"] = "1"


def _run_without_failures(columns: Sequence[Column], at: datetime) -> tuple[Any, dict[str, str]]:
    """A report of all columns that do not make it fail, if there are any, and why the others do."""
    if not columns:
        return None, {}
    try:
        return _run(columns, at), {}
    except Exception:
        failed = {column.label: why for column in columns if (why := _failure(column, at))}
        if not failed:
            raise
    rest = [column for column in columns if column.label not in failed]
    return (_run(rest, at) if rest else None), failed


def _failure(column: Column, at: datetime) -> str:
    try:
        _run([column], at)
    except Exception as error:  # noqa: BLE001 - whatever it is, one feature must not kill the report
        # Only its kind: the message may hold users' text.
        logger.warning("Evidently could not compare %r: %s", column.label, type(error).__name__)
        return f"evidently_failed_{type(error).__name__}"
    return ""


def _run(columns: Sequence[Column], at: datetime) -> Any:
    _forbid_tracking()
    import pandas as pd  # noqa: PLC0415 - takes seconds
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - takes seconds
    from evidently.metrics import ValueDrift  # noqa: PLC0415 - takes seconds

    by_method: dict[str, list[str]] = {"wasserstein": [], "jensenshannon": []}
    metrics = []
    for label, score in ((column.label, column.score) for column in columns):
        by_method[score.method].append(label)
        threshold = score.threshold / _to_ours(score.method)
        metrics.append(ValueDrift(column=label, method=score.method, threshold=threshold))
    definition = DataDefinition(
        numerical_columns=by_method["wasserstein"], categorical_columns=by_method["jensenshannon"]
    )
    current = pd.DataFrame({column.label: pd.Series(column.current) for column in columns})
    reference = pd.DataFrame({column.label: pd.Series(column.reference) for column in columns})
    with np.errstate(all="ignore"):  # correlations of its own making, which are not shown
        return Report(metrics, include_tests=True).run(
            Dataset.from_pandas(current, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
            timestamp=at,
            name="ronda",
        )


def _to_ours(method: str) -> float:
    return TO_BASE_2 if method == "jensenshannon" else 1.0


def _results(report: Any) -> Iterator[tuple[str, tuple[float, bool]]]:
    """Label, and Evidently's score with the verdict of its own test (the number alone has no direction)."""
    plain = json.loads(report.json())
    verdicts = {test["metric_config"]["metric_id"]: test["status"] == "FAIL" for test in plain["tests"]}
    for metric in plain["metrics"]:
        yield metric["config"]["column"], (_twelve_digits(metric["value"]), verdicts[metric["id"]])


def _judged(score: Score, result: tuple[float, bool] | None, failure: str | None) -> Score:
    if result is None:
        return replace(score, reason=failure or score.reason)
    return replace(score, score=result[0] * _to_ours(score.method), drifted=result[1])


def _payload(report: Any) -> bytes:
    """The report as compressed JSON that is the same for the same scores."""
    text = json.dumps(_settled(json.loads(report.dumps()), {}), sort_keys=True, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def _twelve_digits(number: float) -> float:
    """Evidently adds up sets of strings, so its last digits depend on the process's hash seed."""
    return float(f"{number:.12g}")


def _settled(part: Any, ids: dict[str, str]) -> Any:
    """JSON data without what differs from run to run, or makes no sense for compact columns.

    Random ids are numbered in order of appearance. The tab of means over row numbers goes: rows rebuilt from
    counts have no order.
    """
    if isinstance(part, dict):
        return {key: _settled_value(key, value, ids) for key, value in part.items()}
    if isinstance(part, list):
        return [_settled(each, ids) for each in part]
    return _twelve_digits(part) if isinstance(part, float) else part


def _settled_value(key: str, value: Any, ids: dict[str, str]) -> Any:
    if key == "id" and isinstance(value, str) and _UUID.fullmatch(value):
        return ids.setdefault(value, f"id-{len(ids)}")
    if key == "tabs":
        return [_settled(tab, ids) for tab in value if tab.get("title") != "DATA DRIFT"]
    return _settled(value, ids)
