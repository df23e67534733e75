"""What the steps of feedback hand each other: plain, frozen, and small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pyarrow as pa

from services.conditions import Condition, parse_condition
from services.model import Outcome
from store.releases import OutcomeRow, ReleaseRow
from store.statement import Reading, Rule

MATURE = "mature"
STATES = (MATURE, "no_feedback", "late_feedback", "value_missing", "value_not_a_number")
"""What can become of a request; each request is in exactly one of them.

- `mature`: it has a label.
- `no_feedback`: no event of the outcome's type was seen for it.
- `late_feedback`: only events that became known later than the window. How late ones are still seen
  depends on the feedback query, which is opened until the window of the night's last request closes.
- `value_missing`: the event that decides has no value, or an empty text.
- `value_not_a_number`: the rule compares numbers, and the deciding value is other text, NaN or infinite.
"""

EVENTS = (
    "other_type", "request_id_missing", "duplicate_event", "unknown_request", "event_before_request",
    "event_too_late", "event_in_time",
)  # fmt: skip
"""What can be said of an event that became known during a night; the first that fits counts.

- `duplicate_event`: the same event_id (and type) came again during the same night.
- `unknown_request`: the log has no request of that id, from one outcome window before the night to one
  after it. An event for a request older than that cannot be told from one for a request that never was.
- `event_before_request`: it was known before its request was made. `time`, which users' devices say, is
  not judged: their clocks are often wrong.
"""

LABELS = pa.schema([
    ("request_id", pa.string()), ("time", pa.timestamp("us", "UTC")), ("state", pa.string()), ("label", pa.int8()),
    ("value", pa.float64()), ("known_at", pa.timestamp("us", "UTC")),
])  # fmt: skip
"""A night's outcomes: one row per request, in the order of time and id.

`label` is 1 for the positive outcome and 0 for the other; `value` is the number the rule was applied to
(null where it compares words: what users wrote is not kept); `known_at` is when the deciding event was
known. All three are null unless `state` is `mature`.
"""

RULE_KEY = b"ronda.rule"
"""In the metadata of a night's outcomes: the rule that its labels were made by, as canonical JSON."""

ValueKind = Literal["number", "category"]


@dataclass(frozen=True)
class LabelRule:
    """How events become labels, as the service file says.

    The last event of type `event` that became known from the request's time until `window` after it (both
    ends included) decides; of several known at one instant, the greatest event_id.
    """

    name: str
    event: str
    condition: Condition
    written: str
    window: timedelta

    @property
    def plain(self) -> dict[str, Any]:
        """The rule as plain data: labels made by different rules must never be mixed."""
        seconds = int(self.window.total_seconds())
        return {"name": self.name, "event": self.event, "positive": self.written, "window_seconds": seconds}

    @property
    def days(self) -> int:
        """The window in whole days, rounded up."""
        return -(-self.window // timedelta(days=1))


@dataclass(frozen=True)
class Matured:
    """The outcomes of one night's requests, recorded.

    Attributes:
        night: the date of the requests, not of the night they matured with.
        row: as recorded; `revision` counts from 1.
        counts: state -> requests; the sum is `row.requests`.
        events: what the events were that became known during that date -> how many.
        is_new: false if exactly this was recorded before, and so nothing was written.
    """

    night: date
    row: OutcomeRow
    counts: Mapping[str, int]
    events: Mapping[str, int]
    is_new: bool


@dataclass(frozen=True)
class Released:
    """A release, recorded. `counts` are rows by reason, `kept` among them; their sum is `row.rows_read`."""

    row: ReleaseRow
    counts: Mapping[str, int]
    manifest: Mapping[str, Any]
    is_new: bool


@dataclass(frozen=True)
class Wanted:
    """What a release is asked to hold.

    Attributes:
        features: feature -> how it is read; never one with personal data.
        rules: rows that break one are left out, as the night sets them aside; their columns are features.
        code_commit: the commit of the code that makes it, or "".
        reference_sha: the content sha256 of the reference the service is compared with, or "".
    """

    features: Mapping[str, Reading]
    rules: tuple[Rule, ...] = ()
    code_commit: str = ""
    reference_sha: str = ""


@dataclass(frozen=True)
class NightRows:
    """What one night gave: rows by reason, and the kept ones by label and by model version."""

    outcome: OutcomeRow
    counts: Counter[str]
    labels: Counter[str]
    versions: Counter[str]
    joined: int

    @property
    def gone(self) -> int:
        """Requests that had an outcome and are no longer in the log."""
        return self.outcome.requests - self.joined


def rule_of(outcome: Outcome) -> LabelRule:
    """The label rule of a service file's outcome.

    >>> from datetime import timedelta
    >>> outcome = Outcome(event="thumb", positive="value == down", window=timedelta(hours=36))
    >>> rule_of(outcome).days
    2
    """
    condition = parse_condition(outcome.positive)
    return LabelRule(outcome.name, outcome.event, condition, outcome.positive, outcome.window)
