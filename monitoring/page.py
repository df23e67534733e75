"""Gathering what the page of a night shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from monitoring.deployed import main_version
from monitoring.history import Past, outcome_history, outcome_number
from monitoring.judged import Judged
from monitoring.known import Pair
from monitoring.numbers import IN_SLICE, line, lines, set_apart
from monitoring.records import (
    ALL_ROWS,
    NUMBERS,
    OF,
    DeploymentLine,
    FeatureLine,
    Finding,
    Kind,
    NightPage,
    Number,
    NumberLine,
    Profile,
)
from monitoring.standing import FRESH
from monitoring.text import say
from services.model import Service
from services.window import dates_of
from store.deployments import DeploymentRow
from store.grid import Grid, NumberGrid
from store.ledger import NightRow


def night_page(
    service: Service, judged: Judged, row: NightRow, known: Sequence[DeploymentRow], *, snapshot: bool
) -> NightPage:
    """Everything the page of a night shows.

    Args:
        row: the night as it will be recorded.
        known: the deployments the state knew before this night.
        snapshot: Evidently could compare something.
    """
    night, reference = judged.night, judged.reference
    return NightPage(
        service=service.service,
        owner=service.owner,
        night=night.date,
        time_zone=service.time_zone,
        revision=row.revision,
        language=service.language,
        rows_read=row.rows_read,
        counts=judged.counted.reasons,
        quarantine=judged.counted.quarantine,
        numbers=number_lines(service, judged),
        features=feature_lines(
            service, reference.kinds, judged.grids, judged.before, judged.current, judged.findings
        ),
        deployments=tuple(_deployment(served, requests, known) for served, requests in judged.deployments),
        join=_join(judged.past),
        reference=_reference(service, judged),
        own_traffic=judged.reference_row.kind == "own_traffic",
        changed=row.changed,
        snapshot_href=f"../evidently/{service.service}/{night.name}.html" if snapshot else "",
        ignored_columns=judged.ignored,
        places=place_lines(service, judged),
        says=service.outcome.says if service.outcome else "",
        guards={
            (name, f".{guard.worse}"): guard.says for name, guard in service.guards.items() if guard.says
        },
        critical=service.critical,
        runbook=service.runbook,
        noun=service.noun,
        known=tuple(_deployment(row, 0, known) for row in known),
    )


def number_lines(service: Service, judged: Judged) -> tuple[NumberLine, ...]:
    """The outcome first, then the night's own numbers, each beside its last nights."""
    whole = [number for number in judged.numbers if not number.name.endswith(IN_SLICE)]
    whole += gone(service, judged, whole)
    shown = _lines(service, judged, whole)
    past = judged.past
    if past.outcome is not None and service.outcome is not None:
        row = past.outcome
        number = replace(outcome_number(row), subject=service.outcome.name)
        shown = [line(number, "share", outcome_history(service, past), row.night), *shown]
    known: dict[tuple[str, str], bool] = {
        # what only left the reference little by little is as usual tonight
        (each.measure, each.feature): each.verdict == "drifted"
        and set(each.against) - {"eve", "night"} != {"reference"}
        for each in judged.findings
        if each.slice == ALL_ROWS and each.p_value is not None
    }
    judged_as = [replace(each, far=known.get(_measured_as(each))) for each in shown]
    return tuple(_beside_usual(each, judged.night.date, judged.apart) for each in judged_as)


def beside_usual(page: NightPage, apart: Mapping[Pair, frozenset[date]]) -> NightPage:
    """The page with every number beside what is usual of it: nights inside its own incident are no part of that.

    Args:
        apart: those nights by measure and feature, as incidents stand after this night: the one that opens the
            incident may have one before it.
    """
    return replace(
        page,
        numbers=tuple(_beside_usual(each, page.night, apart) for each in page.numbers),
        places=tuple(_beside_usual(each, page.night, apart) for each in page.places),
    )


def _beside_usual(line: NumberLine, night: date, apart: Mapping[Pair, frozenset[date]]) -> NumberLine:
    later = night - line.of_night  # an outcome is told some nights after its own
    return set_apart(line, {day - later for day in apart.get(_measured_as(line), ())})


def _measured_as(line: NumberLine) -> tuple[str, str]:
    """The measure and feature that a number's finding has, in whichever slice it was measured."""
    name = line.name.removesuffix(IN_SLICE)
    if name == "prediction":
        return "distribution", "prediction"
    return name, line.subject if line.name in {"null_share", "guard"} else ""


def gone(service: Service, judged: Judged, tonight: Sequence[Number]) -> list[Number]:
    """The numbers that one of the last nights had and this one has not, as unknown: their column is gone from the log.

    A feature that is still counted, that the service file leaves out or reads in another way, or that the reference
    does not know (a new model may do without) is not meant: only what vanished.
    """
    before = sorted(judged.past.numbers)[-FRESH:]
    had = {(n.name, n.subject): n for day in before for n in judged.past.numbers[day]}
    there = {(number.name, number.subject) for number in tonight}
    return [
        Number(name, subject, None)
        for name, subject in had
        if (name, subject) not in there
        and not name.endswith(IN_SLICE)
        and _is_away(judged, _COLUMNS.get(name, subject or name))
        and (not subject or _is_wanted(service, judged, subject))
    ]


def away(service: Service, judged: Judged) -> tuple[str, ...]:
    """What cannot be measured tonight since its column, which the reference has, is gone or of another type.

    Features by their names; errors and predictions. Whether the log ever had them is not asked.
    """
    numbers = {column: name for name, column in _COLUMNS.items()}
    return tuple(
        numbers.get(column, column)
        for column in judged.reference.grids
        if _is_away(judged, column) and (column in numbers or _is_wanted(service, judged, column))
    )


def _is_away(judged: Judged, column: str) -> bool:
    return column in judged.reference.grids and column not in judged.grids


def _is_wanted(service: Service, judged: Judged, feature: str) -> bool:
    """Whether the reference has a feature, and the service file lets it be read as it was."""
    kind, rule = judged.reference.kinds.get(feature), service.rule(feature)
    return kind is not None and rule.type in {None, kind} and not service.features.leave_out(feature)


_COLUMNS = {"errors": "status", "prediction": "prediction"}
"""Number of the service -> the column it is measured by, where a message is sent for it."""


def place_lines(service: Service, judged: Judged) -> tuple[NumberLine, ...]:
    """What was measured in each slice, beside the same slice's last nights.

    A slice that is no value (`unseen`, `other`, `null`) is marked with `OF`, since a value may have that name.
    """
    measured = _lines(service, judged, [n for n in judged.numbers if n.name.endswith(IN_SLICE)])
    own = {
        f"{dimension}{OF}{label}": f"{dimension}{OF}{OF}{what}"
        for dimension, grid in judged.reference.slices.items()
        for label, what in grid.own_labels.items()
    }
    named = [replace(each, subject=own.get(each.subject, each.subject)) for each in measured]
    dated = [_of_its_cohort(each, judged) for each in named]
    return tuple(_beside_usual(each, judged.night.date, judged.apart) for each in dated)


def _of_its_cohort(line: NumberLine, judged: Judged) -> NumberLine:
    """A slice's number with the nights it belongs to: outcomes are kept with the night that tells them."""
    cohort = judged.past.outcome
    if line.name != "outcome" + IN_SLICE or cohort is None:
        return line
    later = judged.night.date - cohort.night
    return replace(
        line, of_night=cohort.night, history=tuple((day - later, value) for day, value in line.history)
    )


def _lines(service: Service, judged: Judged, tonight: Sequence[Number]) -> list[NumberLine]:
    probability = _is_share(judged.grids.get("prediction"), judged.before)
    back = service.enough.history_nights
    return lines(tonight, judged.night.date, judged.past.numbers, back, prediction_is_share=probability)


def feature_lines(
    service: Service,
    kinds: Mapping[str, Kind],
    grids: Mapping[str, Grid],
    reference: Profile,
    current: Profile,
    findings: Iterable[Finding],
) -> tuple[FeatureLine, ...]:
    """One line per feature, and one for the prediction, with both distributions over all rows."""
    of: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.measure not in NUMBERS:
            of.setdefault(finding.feature, []).append(finding)
    names = [*kinds, *sorted(set(of) - set(kinds))]
    return tuple(
        _feature(service, name, kinds, grids, reference, current, of.get(name, [])) for name in names
    )


def _deployment(served: DeploymentRow, requests: int, known: Sequence[DeploymentRow]) -> DeploymentLine:
    key = ("model_version", "prompt_version", "adapter", "variant", "commit_sha")
    same = [row for row in known if all(getattr(row, name) == getattr(served, name) for name in key)]
    started = min([row.started_at for row in same], default=served.started_at)
    people = next((row for row in reversed(same) if row.author or row.approved_by), served)
    return DeploymentLine(
        **{name: getattr(served, name) for name in key},
        author=people.author,
        approved_by=people.approved_by,
        started_at=min(started, served.started_at).isoformat(timespec="minutes"),
        requests=requests,
    )


def _join(past: Past) -> dict[str, int]:
    """The funnel from requests to the positive outcome, of the cohort that matured."""
    if past.outcome is None:
        return {}
    row, reasons = past.outcome, past.join
    joined = row.requests - reasons.get("no_feedback", 0)
    return {"requests": row.requests, "with_feedback": joined, "mature": row.mature, "positive": row.positive}


def _reference(service: Service, judged: Judged) -> str:
    row, served = judged.reference_row, main_version(judged.deployments)
    first, last = dates_of(row.window_start, row.window_end, service.time_zone)
    named = f"{row.model_version} · {first} – {last}"
    if served in {"", row.model_version}:
        return named
    return f"{named} · {say(service.language, 'compared.other', served=served)}"


def _feature(
    service: Service,
    name: str,
    kinds: Mapping[str, Kind],
    grids: Mapping[str, Grid],
    reference: Profile,
    current: Profile,
    findings: list[Finding],
) -> FeatureLine:
    grid = grids.get(name)
    number = isinstance(grid, NumberGrid)
    return FeatureLine(
        name=name,
        kind=kinds.get(name, "number" if number or grid is None else "category"),
        unit=service.rule(name).unit,
        labels=() if grid is None else grid.labels,
        reference=None if grid is None else reference.counts[name][0],
        current=current.counts[name][0] if name in current.counts else None,
        edges=grid.edges if isinstance(grid, NumberGrid) else None,
        findings=tuple(sorted(findings, key=_all_rows_first)),
    )


def _all_rows_first(finding: Finding) -> tuple[bool, float, str]:
    return finding.slice != ALL_ROWS, -(finding.effect or 0.0), finding.slice.value


def _is_share(grid: Grid | None, reference: Profile) -> bool:
    """Whether all of the reference's predictions lie between 0 and 1, as probabilities do."""
    if not isinstance(grid, NumberGrid):
        return False
    filled = grid.midpoints[reference.counts["prediction"][0][: grid.ordered] > 0]
    return bool(
        filled.size and filled.min() >= 0 and filled.max() <= 1.05
    )  # a cell may reach a little beyond 1
