"""A night's page: from its records to one self-contained HTML file.

Nothing is judged here. Counts of 1 to 9 are written `<10` and cannot be read back from what stands beside them:
a share resting on them is written as a bound, a total beside them is left out, distributions are written in
whole percents, and a category is named only if it has at least 10 rows on either side. The whole of a share, the
rows of a check and the requests of a deployment are rounded to two digits, what is drawn is drawn as if they were 5
(`monitoring.amounts.blurred`), and no more ids are shown than tell nothing about how many there are. Two nights that
differ only in such a count have the same page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields, replace
from typing import Any

from monitoring import standing
from monitoring.amounts import blurred, tonight, usual
from monitoring.cards import card, finding_row, movement, overall
from monitoring.incident_cards import incidents, planned
from monitoring.incident_proof import proof, raised, raised_on
from monitoring.morning import unusual
from monitoring.plots import sparkline
from monitoring.records import DeploymentLine, FeatureLine, Finding, NightPage, NumberLine
from monitoring.standing import Place, place, verdict
from monitoring.story import Story
from monitoring.telling import also, tell, things
from monitoring.text import blur, count, day, fill, href, is_small, number, roughly, say, short, term

Row = dict[str, Any]

_NUMBER_ORDER = (
    "outcome",
    "guard",
    "prediction",
    "volume",
    "errors",
    "null_share",
    "latency_ms",
    "first_token_ms",
    "cost",
)
_HEADLINES, _EXAMPLES, _NAMED, _LISTED = 3, 5, 8, 300
_MARKS = {"highest": "▲", "higher": "▲", "lowest": "▼", "lower": "▼"}


def render(page: NightPage, story: Story) -> str:
    """The page as one HTML file that loads nothing, runs nothing and is the same bytes for the same input.

    What the night comes to stands first. On a night with nothing to tell that is three lines, and all that
    was looked at is folded away behind them.

    Raises:
        UsageError: the page's language has no text.
    """
    lines = sorted(page.numbers, key=_number_order)
    numbers = [(line, _place(line)) for line in lines]
    features = sorted(page.features, key=_movement)
    cards = [(f, card(f, page.language) | {"raised": raised_on(page, f.name)}) for f in features]
    sections = {kind: [told for f, told in cards if _group(f) == kind] for kind in _GROUPS}
    return fill(
        "night.html",
        page.language,
        page=page,
        first=_first(page, story),
        incidents=incidents(page),
        planned=planned(page),
        proof=proof(page),
        raised=raised(page),
        runbook=href(page.runbook),
        numbers=[_number(*pair, page) for pair in numbers if _shown(*pair)],
        quiet_nulls=[_number(*pair, page) for pair in numbers if not _shown(*pair)],
        changed=say(page.language, "page.changed", changed=short(page.changed, 300)),
        nights=max((p.nights for _, p in numbers), default=0),
        features=sections,
        rows=_rows(page),
        funnel=_funnel(page.join, page.language),
        deployments=[_deployment(d, page.language) for d in sorted(page.deployments, key=_busiest)],
        unjudged=_unjudged(page),
        checks=_checks(features, page.language),
        limits=(number(page.language, standing.OUTCOME_LIMIT), number(page.language, standing.OTHER_LIMIT)),
        snapshot=href(page.snapshot_href),
        snapshot_command=f"ronda night {page.service} --date {page.night.isoformat()} --evidently",
    )


def _first(page: NightPage, story: Story) -> Row:
    """The first lines: what the night comes to and, if that is anything, how much, where, since when, who acts."""
    language = page.language
    requests = things(page, count(language, page.counts.get("kept", 0)))
    night = day(language, page.night)
    odd = unusual(page) if story.state == "quiet" else ""
    key = "first.unusual.rest" if odd else f"first.{story.state}.rest"
    rest = say(language, key, requests=requests, moved=_moved(page), night=night, names=odd)
    row: Row = {"state": story.state, "rest": rest, "facts": []}
    if story.state not in standing.LOUD:
        return row
    told = tell(page, story)
    also_words = [also(line, page) for line in story.others[:_HEADLINES]]
    if len(story.others) > _HEADLINES:
        also_words.append(say(language, "first.more", n=len(story.others) - _HEADLINES))
    facts = (
        ("much", told.much), ("where", told.where), ("since", told.since), ("wait", told.wait), ("do", told.do),
        ("also", "; ".join(also_words)),
    )  # fmt: skip
    about = page.night if story.lead is None else story.lead.of_night
    return row | {
        "head": told.headline[:1].upper() + told.headline[1:],
        "about": say(
            language, f"first.about{'.late' if about != page.night else ''}", night=day(language, about)
        ),
        "mark": told.mark,
        "change": told.change,
        "facts": [(name, text) for name, text in facts if text],
    }


def _moved(page: NightPage) -> str:
    """How many features moved; if none could be judged, that and not that none moved."""
    judged = {standing.verdict(feature) for feature in page.features} & {"stable", "drifted"}
    features = any(feature.kind != "calendar" for feature in page.features)
    if features and not judged:
        return say(page.language, "unjudged")
    return say(page.language, "moved", n=standing.moved(page))


# The numbers


def _number_order(line: NumberLine) -> tuple[int, str, str]:
    known = line.name in _NUMBER_ORDER
    return (_NUMBER_ORDER.index(line.name) if known else len(_NUMBER_ORDER)), line.name, line.subject


def _place(line: NumberLine) -> Place:
    """Where a number stands. Whether it is far out is judged as it is; which of two small counts is higher is not told."""
    judged, told = place(line), place(blurred(line))
    return judged if judged.far and told.word == "within" else replace(told, far=judged.far)


def _shown(line: NumberLine, where: Place) -> bool:
    """Missing values of a feature are folded away while they are as usual: there is a number per feature."""
    return line.name != "null_share" or where.far or where.word in {"highest", "higher"}


def _number(line: NumberLine, where: Place, page: NightPage) -> Row:
    language = page.language
    # The usual range is the mean and deviation of the very values that are drawn, and they are the same whatever a
    # small count was: it cannot be computed from where things lie, however exactly that is measured.
    line_drawn = blurred(line)
    names = term(language, "number", line.name), short(line.subject)
    if line.name == "guard":  # each has a name of its own, which says more
        names = names[1], names[0]
    near = ".near" if where.word in {"highest", "lowest"} and not where.far else ""
    return {
        "name": names[0],
        "subject": names[1],
        "usual": usual(line, language) if line.usual else "",
        "value": tonight(line, language),
        "whole": roughly(language, line.denominator) if line.format == "share" and line.denominator else "",
        "of_night": line.of_night,
        "late": line.of_night != page.night,
        "words": say(language, f"usual.{where.word}{near}", n=where.nights),
        "mark": _MARKS.get(where.word, "") if where.far else "",
        "far": where.far,
        "plot": sparkline([value for _, value in line_drawn.history], line_drawn.value, line_drawn.usual),
    }


# Features

_GROUPS = ("drifted", "stable", "unjudged", "calendar")


def _group(feature: FeatureLine) -> str:
    found = verdict(feature)
    return found if found in _GROUPS else "unjudged"


def _movement(feature: FeatureLine) -> tuple[float, str]:
    return -movement(feature), feature.name


# Rows, joins, deployments


def _rows(page: NightPage) -> Row:
    """Rows by reason. The total is left out where it would give a small count away."""
    parts = sorted(page.counts.items(), key=lambda item: (item[0] != "kept", -blur(item[1]), item[0]))
    return {
        "total": "" if any(map(is_small, page.counts.values())) else count(page.language, page.rows_read),
        "parts": [(term(page.language, "reason", reason), count(page.language, n)) for reason, n in parts],
        "examples": [
            (term(page.language, "reason", reason), [short(i) for i in ids[: _examples(page, reason)]])
            for reason, ids in sorted(page.quarantine.items())
            if ids
        ],
    }


def _examples(page: NightPage, reason: str) -> int:
    """How many ids to show: one where their number would give a small count away."""
    return 1 if is_small(page.counts.get(reason, 1)) else _EXAMPLES


def _funnel(join: Mapping[str, int], language: str) -> list[tuple[str, str]]:
    """The steps of the join; one that loses 1 to 9 of the last written step says so and no more.

    The others are then rounded to two digits: 48 positive beside an outcome of 50.0 % are of 96 requests, and so
    4 fewer than 100.
    """
    hidden = _losing_few(join)
    return [
        (
            term(language, "join", step),
            say(language, "join.fewer") if step in hidden else (roughly if hidden else count)(language, rows),
        )
        for step, rows in join.items()
    ]


def _losing_few(join: Mapping[str, int]) -> set[str]:
    """The steps that lose 1 to 9 of the last step before that does not."""
    hidden, last = set(), None
    for step, rows in join.items():
        if last is not None and is_small(last - rows):
            hidden.add(step)
        else:
            last = rows
    return hidden


def _busiest(line: DeploymentLine) -> tuple[float, tuple[str, ...]]:
    return -blur(line.requests), tuple(str(value) for value in astuple(replace(line, requests=0)))


def _deployment(line: DeploymentLine, language: str) -> list[tuple[str, str]]:
    """What is known of a deployment. Beside all that were kept its requests would tell how few another had."""
    values = ((field.name, getattr(line, field.name)) for field in fields(line))
    return [
        (
            say(language, f"deployment.{name}"),
            roughly(language, value) if name == "requests" else short(value),
        )
        for name, value in values
        if value != ""
    ]


# Behind the fold


def _unjudged(page: NightPage) -> Row:
    """Checks without a verdict, by kind and reason, with the features they were about."""
    findings = [f for feature in page.features if feature.kind != "calendar" for f in feature.findings]
    missing = [f for f in findings if f.verdict in {"inconclusive", "not_computed"}]
    tally = Counter((f.verdict, f.reason) for f in missing)
    return {
        "inconclusive": sum(f.verdict == "inconclusive" for f in missing),
        "not_computed": sum(f.verdict == "not_computed" for f in missing),
        "rows": [
            (kind, reason, n, *_about(missing, kind, reason))
            for (kind, reason), n in sorted(tally.items(), key=lambda item: (-item[1], item[0]))
        ],
        "ignored": [
            (short(column), term(page.language, "reason", reason))
            for column, reason in sorted(page.ignored_columns.items())
        ],
    }


def _about(missing: Sequence[Finding], kind: str, reason: str) -> tuple[list[str], int]:
    """The features a reason was given for: the first few names, and how many more there are."""
    names = sorted({f.feature for f in missing if (f.verdict, f.reason) == (kind, reason)})
    return [short(name) for name in names[:_NAMED]], max(0, len(names) - _NAMED)


def _checks(features: Sequence[FeatureLine], language: str) -> Row:
    """Every check over all rows, for who wants the statistics; those of slices are counted."""
    whole = [(f, feature) for feature in features if feature.kind != "calendar" for f in overall(feature)]
    every = sum(len(feature.findings) for feature in features if feature.kind != "calendar")
    return {
        "rows": [finding_row(*pair, language) for pair in whole[:_LISTED]],
        "more": every - len(whole[:_LISTED]),
    }
