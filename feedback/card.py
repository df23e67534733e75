"""The data card of a release: what it is and what it is not, for the people who will train on it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

SMALLEST_SHOWN = 10
_MOST_LISTED = 20
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~])")

_WHY: Mapping[str, str] = {
    "no_feedback": "no feedback was seen",
    "late_feedback": "feedback came only after the window",
    "value_missing": "the deciding feedback had no value",
    "value_not_a_number": "the deciding feedback's value was not a number",
    "after_outcomes": "logged after its night's outcomes were made",
    "quarantined_request_id_missing": "set aside: no request id",
    "quarantined_time_missing": "set aside: no time",
    "quarantined_outside_night": "set aside: outside its night",
    "quarantined_request_id_duplicated": "set aside: a later copy of a request id",
}


def render(facts: Mapping[str, Any], version: str) -> str:
    """The card as Markdown. Counts under 10 are not shown; the manifest, which machines read, is exact.

    Args:
        facts: what the manifest says, without its files.
        version: of the release.
    """
    parts = [_head(facts, version), _labels(facts), _counts(facts), _columns(facts), _limits(facts)]
    return "\n\n".join(parts) + "\n"


def shown(count: int) -> str:
    """A count as readers see it.

    >>> [shown(0), shown(9), shown(12_345)]
    ['0', '&lt;10', '12,345']
    """
    return f"{count:,}" if count == 0 or count >= SMALLEST_SHOWN else f"&lt;{SMALLEST_SHOWN}"


def escaped(text: str, most: int = 80) -> str:
    r"""Text of users and logs as Markdown that shows it and does nothing else.

    >>> escaped("<b>|x|\n# [y](z)")
    '&lt;b&gt;\\|x\\| \\# \\[y\\]\\(z\\)'
    """
    line = " ".join(text.split())
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return _MARKS.sub(r"\\\1", html.escape(cut, quote=False))


def _head(facts: Mapping[str, Any], version: str) -> str:
    window = facts["window"]
    nights = len(facts["nights"])
    about = (
        f"Requests that the service {escaped(facts['service'])} answered from {window['first']} to "
        f"{window['last']} ({escaped(window['time_zone'])}), each with what came of it: "
        f"{shown(facts['rows_kept'])} rows of {nights} {'night' if nights == 1 else 'nights'}."
    )
    lines = [f"# {escaped(facts['name'])}, version {version}", "", about]
    if facts["not_mature"]:
        lines += ["", f"Left out because their outcomes are not known yet: {_dates(facts['not_mature'])}."]
    return "\n".join(
        [*lines, "", "License: set by the owner of the data. Owner: " + escaped(facts["owner"]) + "."]
    )


def _labels(facts: Mapping[str, Any]) -> str:
    outcome = facts["outcome"]
    hours = outcome["window_seconds"] / 3600
    text = (
        f"`label` is 1 where the last event of type {escaped(outcome['event'])} that became known within "
        f"{hours:g} hours of the request says {escaped(outcome['positive'])}, and 0 where it says otherwise. "
        "Later events do not count. Requests without such an event are left out; they are not 0."
    )
    counts = [(value, shown(rows)) for value, rows in facts["labels"].items()]
    return "\n".join(["## How labels were made", "", text, "", *_table(("label", "rows"), counts)])


def _counts(facts: Mapping[str, Any]) -> str:
    removed = {reason: rows for reason, rows in facts["counts"].items() if reason != "kept" and rows}
    rows = [("read", shown(facts["rows_read"])), ("kept", shown(facts["rows_kept"]))]
    rows += [(_why(reason), shown(count)) for reason, count in removed.items()]
    versions = sorted(facts["model_versions"].items(), key=lambda item: (-item[1], item[0]))
    served = [(escaped(name) or "not given", shown(count)) for name, count in versions[:_MOST_LISTED]]
    lines = ["## What was kept and what was left out", "", *_table(("what", "rows"), rows)]
    if facts["requests_gone"]:
        lines += [
            "",
            f"{shown(facts['requests_gone'])} requests had an outcome and are no longer in the log.",
        ]
    return "\n".join([*lines, "", *_table(("model version", "rows"), served)])


def _columns(facts: Mapping[str, Any]) -> str:
    rows = [(escaped(column["name"]), column["type"], column["role"]) for column in facts["schema"]]
    return "\n".join(["## Columns", "", *_table(("column", "type", "role"), rows)])


def _limits(facts: Mapping[str, Any]) -> str:
    points = [
        "Features are as they were served. A fault of the serving pipeline is in them.",
        "Only requests with feedback in time have a label. Whether feedback came may depend on the outcome.",
        "If people acted on a prediction, it may have changed the outcome. Nothing here corrects for that.",
        "The rows are neither split, nor weighted, nor searched for near duplicates.",
        "`subject_key` is a keyed hash of the user id, and null where the log has none.",
        "There is no prompt and no answer among the columns.",
        "Counts under 10 are shown as &lt;10 here. `manifest.json` has the exact ones: treat it as you treat the data.",
    ]
    if facts["code_commit"]:
        points.append(f"Made by code {escaped(facts['code_commit'])}.")
    return "\n".join(["## Known limits", "", *[f"- {point}" for point in points]])


def _why(reason: str) -> str:
    if reason in _WHY:
        return _WHY[reason]
    return "set aside: " + escaped(reason.removeprefix("quarantined_").replace("_", " "))


def _dates(nights: list[str]) -> str:
    listed = ", ".join(nights[:_MOST_LISTED])
    more = len(nights) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_line(heads), _line(("---",) * len(heads)), *[_line(row) for row in rows]]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
