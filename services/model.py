"""The service file: what is watched, where its log is, who is told. Read by `services.read`."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from services.field_rules import (
    clock_time,
    comparison,
    daily_cron,
    function_name,
    inside_home,
    known_country,
    known_zone,
    near_date,
    one_line,
    plain_name,
    slack_id,
    source_reference,
    web_address,
    written_day,
)
from services.slices import written
from services.spans import parse_span

Span = Annotated[timedelta, BeforeValidator(parse_span)]
"""A length of time as people write it: `30m`, `24h`, `14d`."""

QueryPath = Annotated[PurePosixPath, AfterValidator(inside_home)]
"""The path of an SQL file below the home."""

Day = Annotated[date, BeforeValidator(written_day), AfterValidator(near_date)]
"""A day as people write it: `2026-11-27`."""

Watched = Literal[
    "volume", "errors", "nulls", "outcome", "prediction", "latency", "cost", "schema", "features", "guards"
]
"""What can be called critical (told at once) or left until morning."""


LONGEST_PLANNED = 92
"""Nights that one planned thing may take: a quarter of a year."""

_NOT_COUNTED = {"planned", "budget", "webhook"}


class Section(BaseModel):
    """A part of a service file: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class FeatureRule(Section):
    """What is known about one feature. Values outside it are quarantined, not judged.

    `floor` is the effect below which a change of this feature is not worth telling: standard deviations for
    a number, Jensen-Shannon distance for a category.
    """

    type: Literal["number", "category", "text", "calendar"] | None = None
    unit: str = ""
    required: bool = False
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] | None = None
    floor: float | None = Field(default=None, gt=0)


class Features(Section):
    """Which columns are features. By default every number and every column of few values is."""

    only: tuple[str, ...] | None = None
    not_: tuple[str, ...] = Field(default=(), alias="not")
    calendar: tuple[str, ...] = ()
    rules: dict[str, FeatureRule] = {}

    def leave_out(self, column: str) -> bool:
        """Whether the service file says that a column is no feature."""
        return column in self.not_ or (self.only is not None and column not in self.only)


class Outcome(Section):
    """How feedback events become the label of a request.

    `positive` is a comparison such as `delay_min > 15` or `value == down`; the word on the left is only for
    the reader. Events that became known later than `window` after the request do not count. `says` is what a
    positive outcome means to the people it happens to, as a sentence that begins small and has no full stop.
    """

    event: str = Field(min_length=1)
    positive: Annotated[str, AfterValidator(comparison)]
    window: Span
    name: str = "outcome"
    says: str = Field(default="", max_length=120)


class Guard(Section):
    """A number of the business, from a query of its own that yields one row for a night.

    The row is `numerator` and `denominator`, or `value`: a share, or an amount of 0 or more. `worse` is the
    direction that hurts. `floor` is the smallest change worth telling: of a share in points (0.02 is two), of
    an amount as a ratio (0.2 is a fifth); without one the service's own floors hold. `says` is what it means
    when the guard is worse, in the manner of `Outcome.says`.
    """

    query: QueryPath
    worse: Literal["up", "down", "either"] = "down"
    floor: float | None = Field(default=None, gt=0)
    says: str = Field(default="", max_length=120)


class Planned(Section):
    """Nights on which something is known beforehand to be unusual, from `first` to `last`, both included.

    What `affects` names is expected then and wakes nobody; without a word it is everything. With `holiday`
    the nights are compared as Sundays are, and nothing is expected.
    """

    first: Day = Field(alias="from")
    last: Day = Field(alias="to", default_factory=lambda before: before["first"])
    what: Annotated[str, AfterValidator(one_line)] = Field(max_length=120)
    affects: tuple[Watched, ...] = ()
    holiday: bool = False

    @field_validator("last")
    @classmethod
    def _is_a_short_while(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first", last)
        if last < first:
            raise ValueError(f"it lies before `from`, which is {first}; found {last}")
        nights = (last - first).days + 1
        if nights > LONGEST_PLANNED:
            raise ValueError(
                f"what is planned takes at most {LONGEST_PLANNED} nights, and this is {nights}; "
                "a longer silence is a mute, which has a reason and an end"
            )
        return last

    @field_validator("holiday")
    @classmethod
    def _holiday_silences_nothing(cls, holiday: bool, info: ValidationInfo) -> bool:
        if holiday and info.data.get("affects"):
            raise ValueError("a holiday is compared with Sundays and silences nothing: take `affects` out")
        return holiday


class Floors(Section):
    """Effects below these are not worth telling. See `docs/service-file.md` for how they compare."""

    number: float = Field(gt=0)
    category: float = Field(gt=0)
    share: float = Field(gt=0, lt=1)
    volume: float = Field(gt=0)


class Enough(Section):
    """How much data a verdict takes; with less it is `inconclusive`."""

    rows: int = Field(ge=1)
    history_nights: int = Field(ge=1)


class Retention(Section):
    """How long things are kept."""

    profiles: Span
    pages: Span
    quarantine: Span
    releases: Span


class ReleasePlan(Section):
    """Which dataset is made of matured outcomes, and how often: the last `nights`, every `every` nights."""

    nights: int = Field(ge=1, le=3660)
    every: int = Field(ge=1, le=3660)


class Retrain(Section):
    """How a release becomes a model: `trainer` names the function that fits it, as `module:function`.

    The last `held_out_nights` of a release are not trained on; the new model and what served are held
    against each other there.
    """

    trainer: Annotated[str, AfterValidator(function_name)]
    held_out_nights: int = Field(default=7, ge=1, le=3660)


class Service(Section):
    """One AI feature in production, as its service file describes it."""

    service: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    owner: str = Field(min_length=1, max_length=200)
    slack: str = Field(max_length=200)
    mention: Annotated[str, AfterValidator(slack_id)] = ""
    runbook: Annotated[str, AfterValidator(web_address)] = ""
    noun: str = Field(default="", max_length=40)
    source: Annotated[str, AfterValidator(source_reference)]
    requests: QueryPath
    feedback: QueryPath | None = None
    training: QueryPath | None = None
    outcome: Outcome | None = None
    slices: Annotated[tuple[str, ...], AfterValidator(written)] = ()
    features: Features = Features()
    status_ok: tuple[str, ...]
    floors: Floors
    enough: Enough
    critical: tuple[Watched, ...]
    morning: tuple[Watched, ...]
    guards: dict[Annotated[str, AfterValidator(plain_name)], Guard] = {}
    planned: tuple[Planned, ...] = ()
    budget: int = Field(default=3, ge=0, le=100, strict=True)
    webhook: bool = True
    schedule: Annotated[str, AfterValidator(daily_cron)]
    time_zone: Annotated[str, AfterValidator(known_zone)]
    morning_at: Annotated[str, AfterValidator(clock_time)]
    late_after: Span
    holidays: Annotated[str, AfterValidator(known_country)] = ""
    until: Day | None = None
    slack_unknown: Literal["repeat", "hold"]
    release: ReleasePlan
    retrain: Retrain | None = None
    retention: Retention
    page_base_url: Annotated[str, AfterValidator(web_address)] = ""
    language: Literal["en", "pt"] = "en"

    @field_validator(
        "outcome"
    )  # of the field, not the whole, so that it is said together with other problems
    @classmethod
    def _outcome_needs_feedback(cls, outcome: Outcome | None, info: ValidationInfo) -> Outcome | None:
        if outcome is not None and info.data.get("feedback", "wrong") is None:
            raise ValueError("an outcome is made of feedback events: name the feedback query in `feedback`")
        return outcome

    def rule(self, feature: str) -> FeatureRule:
        """What the service file says of a feature; an empty rule if it says nothing."""
        return self.features.rules.get(feature, FeatureRule())


def as_plain(service: Service) -> dict[str, Any]:
    """The service file as plain data with every default filled in, for manifests and hashes.

    Without what changes nothing of what a night counted: a day that is planned later makes no night another one.
    """
    return service.model_dump(mode="json", by_alias=True, exclude=_NOT_COUNTED)
