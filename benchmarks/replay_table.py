"""The figures of the replay for a person: one table, where ronda loses, and the document that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Figures = Mapping[str, Any]
RONDA = "ronda"


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        better: `less` or `more`, or empty where neither is better.
        digits: after the point.
    """

    key: str
    label: str
    better: str
    digits: int


ROWS = (
    Row("false_pages_per_month", "false pages per service-month, nights without incident", "less", 2),
    Row("false_spells_per_month", "the same, nights in a row counted once", "less", 2),
    Row("false_pages_per_month_all", "false pages per service-month, all nights", "less", 2),
    Row("pages_per_month", "pages per service-month, right and false", "", 1),
    Row("precision", "precision of pages", "more", 2),
    Row("precision_first_named", "precision by the column named first", "more", 2),
    Row("recall_visible", "recall of incidents that ronda had called visible", "more", 2),
    Row("recall_all", "recall of all incidents of at least one floor", "more", 2),
    Row("recall_first_named", "recall by the column named first", "more", 2),
    Row("recall_features", "recall of those that move values of a feature", "more", 2),
    Row("recall_critical", "recall of critical ones", "more", 2),
    Row("judgeable", "judgeable share", "more", 2),
    Row("median_nights_to_finding", "median nights to first finding, of those found", "less", 1),
    Row("median_nights_to_page", "median nights to page, of those paged", "less", 1),
    Row("p90_nights_to_page", "90th percentile of nights to page", "less", 0),
    Row("paged_within_3", "sudden ones paged within three nights", "more", 2),
    Row("critical_nights_to_page", "median nights to page, critical ones", "less", 1),
    Row("slice_at_1", "first page names the right slice", "more", 2),
    Row("slice_at_1_in_slices", "the same, of incidents in one slice", "more", 2),
    Row("ageing_within_21", "ageing paged within 21 nights, where nights are calm", "more", 2),
    Row("ageing_within_21_all", "ageing paged within 21 nights, all", "more", 2),
    Row("seconds", "seconds, all worlds", "", 1),
    Row("peak_rss_mb", "peak memory in MB", "", 0),
    Row("pages", "pages", "", 0),
    Row("incidents", "incidents that should be told", "", 0),
    Row("large_incidents", "of these, of at least one floor", "", 0),
    Row("visible_incidents", "of all that should be told, called visible", "", 0),
    Row("months", "service-months judged", "", 1),
    Row("free_months", "of these months, without incident", "", 1),
)

HEADER = """# Drift verdicts on simulated services

This page is written by `python -m benchmarks.replay --write docs/benchmark.md`. All of it is simulation: it compares
rules on services whose truth is known, and promises nothing for a service that behaves otherwise.

## What was simulated

Three services (arrival times, a recommender, an assistant), each with 60 features (30 numbers, 30 categories), 40
slices beside all rows, of about 50 to 50,000 requests a night, and its errors, speed, volume and outcomes. Nights have
weekly seasons, growth, holidays and deployments. They differ from one another in four ways: freely (`dirichlet`),
along one direction (`direction`), with storms (`heavy_tails`), or each like the one before (`autocorrelated`). A seed
makes one world for each service and way. The first 28 nights are the reference. Into the later ones incidents are
planted, with their true effect known; some are harmless, and some cannot be seen in any count.

## Who watched

- `ronda`: the functions that judge a real night, with their defaults.
- `evidently_default`: Evidently's drift preset on all rows, its default methods and thresholds; one drifted column pages.
- `evidently_dataset`: the same; half of the columns page, which is its own rule for a dataset.
- `evidently_per_slice`: the same in every slice; one drifted column in any slice pages.
- `psi_01`, `psi_025`: population stability index on all rows, from 0.1 or from 0.25 on.
- `ks_p05`: Kolmogorov-Smirnov and chi-square tests on all rows, p below 0.05.
- `nannyml_3sigma`: NannyML's Jensen-Shannon distance beyond three standard deviations of the reference, on all rows.
- `always`, `never`: a page every night with every column named, and none ever.

Rivals are computed from counts by their published rules, tested against the packages where these can be installed.
They see features only, as they do by default; ronda also sees volume, errors, speed and outcomes. A rival pages on
every night that it flags; ronda pages once for each incident it opens or opens again.
"""

NOTES = """## How it was counted

- A page is right if it names a column that an incident moves, in a slice that shares rows with the incident's, on a
  night whose data show it. Nulls of a column are that column. Where rows of one slice are lost, any feature is right in
  slices that overlap with it without lying inside it, since who is left there has changed.
- A page names all that was flagged together, the plainest first. A page that names everything is always right
  while an incident lasts, so two rows count what is named first alone.
- Pages about harmless events, or about incidents that no count shows, are false.
- Only ronda says what it could have seen; the row of visible incidents takes its word on the first full night of
  each, for all contestants alike. A rival's judgeable share is the share of keys with any verdict at all, of
  features in all slices; of ronda's it is the share where four floors would have been seen.
- An incident's first night is 1. Where a number is known after a delay, nights are counted from the first one that it
  is known of. Nights to finding and to page are of sudden incidents that were found or paged; those that were not are
  in the recall only.
- Nights are calm where the feature's own noise is at most half a floor.
- Seconds and memory are of the machine that ran this, and of judging counts that were already there; memory includes
  the simulated world. Those of rivals are of their rules on counts, not of their packages.
"""


def table(columns: Mapping[str, Figures], rows: Sequence[Row] = ROWS) -> str:
    """A Markdown table: a row for each figure that any column has, a column for each set of figures."""
    names = list(columns)
    shown = [row for row in rows if any(row.key in figures for figures in columns.values())]
    lines = [
        [row.label, *(number(columns[name].get(row.key), row.digits) for name in names)] for row in shown
    ]
    return _aligned([["", *names], *lines])


def losses(contestants: Mapping[str, Figures]) -> list[str]:
    """A sentence for each row in which another contestant is better than ronda, best one first.

    >>> told = {"ronda": {"precision": 0.9}, "never": {"precision": None}, "psi_01": {"precision": 0.95}}
    >>> losses(told)
    ['Precision of pages: ronda has 0.90; better are psi_01 (0.95).']
    """
    found = []
    for row in (row for row in ROWS if row.better):
        sign = 1 if row.better == "more" else -1
        values = {name: figures.get(row.key) for name, figures in contestants.items()}
        known = {name: value for name, value in values.items() if value is not None}
        own = known.get(RONDA)
        beat = [name for name, value in known.items() if own is None or sign * (value - own) > 1e-9]
        if RONDA in contestants and beat:
            better = sorted(beat, key=lambda name: -sign * known[name])
            told = ", ".join(f"{name} ({number(known[name], row.digits)})" for name in better)
            found.append(f"{_sentence(row.label)}: ronda has {number(own, row.digits)}; better are {told}.")
    return found


def harmless_table(contestants: Mapping[str, Figures]) -> str:
    """Harmless events by kind: how many there were, and how many of them each contestant paged for."""
    kinds = sorted({kind for figures in contestants.values() for kind in figures["harmless"]})
    lines = []
    for kind in kinds:
        each = [figures["harmless"].get(kind, {"events": 0, "paged": 0}) for figures in contestants.values()]
        lines.append([kind, str(each[0]["events"]), *(str(one["paged"]) for one in each)])
    return _aligned([["", "events", *contestants], *lines])


def timing(timed: Mapping[str, Any]) -> str:
    """What the real Evidently takes for a night, beside ronda's verdicts."""
    return (
        f"Evidently takes {timed['evidently_seconds_per_night']:.2f} s a night (mean of {timed['nights']}) for its "
        f"drift preset on raw rows of all requests, ronda {timed['ronda_seconds_per_night']:.2f} s for the verdicts "
        "of all slices on counts. Counting the rows is not in ronda's seconds; `python -m benchmarks.speed` times it."
    )


def document(result: Figures, contestants: Sequence[str]) -> str:
    """The page of the documentation, made of one result of the command alone."""
    who = {name: result[name] for name in contestants}
    lost = losses(who) or ["No contestant was better than ronda in any row that has a better side."]
    parts = [
        HEADER,
        "## What came out\n",
        f"{result['number_of_worlds']} worlds of {result['nights']} nights: `{result['command']}`\n",
        table(who) + "\n",
    ]
    if RONDA in who:
        parts += ["## Where ronda loses\n", "\n".join(f"- {each}" for each in lost) + "\n"]
    if "timed" in result:
        parts += ["## Seconds of the real Evidently\n", timing(result["timed"]) + "\n"]
    if result["worlds"]:
        parts += ["## Ronda by how nights differ\n", table(result["worlds"]) + "\n"]
    parts += ["## Harmless events that paged\n", harmless_table(who) + "\n", NOTES]
    return "\n".join(parts)


def number(value: float | None, digits: int) -> str:
    """A figure of the table, a dash for none.

    >>> number(0.125, 1), number(None, 2), number(1234.0, 0)
    ('0.1', '–', '1,234')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rule = [("-" * widths[0]), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in (rows[0], rule, *rows[1:]))


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    first, *others = row
    cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
    return f"| {' | '.join(cells)} |"


def _sentence(label: str) -> str:
    return label[0].upper() + label[1:]
