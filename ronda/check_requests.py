"""The requests of a night: read as the night itself would read them, and looked at for personal data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow.compute as pc

from monitoring import text
from monitoring.deployed import deployment_columns, main_version, seen
from monitoring.extract import Layout, layout
from monitoring.survey import MOST_VALUES
from monitoring.validate import rules
from ronda.check_columns import crosses_of, named, needed, roles, taken_for
from ronda.check_personal import personal_rows
from ronda.check_row import Column, Row, names_in_words, rows_in_words
from services.columns import REQUIRED_REQUEST_COLUMNS
from services.window import Night, dates_of
from store.count import COLUMNS_A_PASS, Counted, count
from store.duck import arrow
from store.inspect import as_text, distinct_texts, without_time
from store.query import REQUESTS
from store.references import latest_reference, reference_for
from store.source import Source
from store.state import reading
from store.statement import KEPT, Selection, frequent, marked, served
from store.watch import Watch

SAMPLE_ROWS, SAMPLE_VALUES = 10_000, 2_000_000
"""How many rows are looked at for personal data, and how many values of a wide table at most."""


def request_rows(watch: Watch, night: Night) -> Iterator[Row | Column]:
    """What the requests query yields for a night.

    Raises:
        SourceError: the source refuses; the rows yielded before stand.
    """
    service, file = watch.service, str(watch.service.requests)
    with watch.source({REQUESTS: night}) as source:
        columns = source.columns(REQUESTS)
        yield Row("requests query", f"{file} yields {len(columns)} columns")
        wrong = [*needed("requests", file, columns, REQUIRED_REQUEST_COLUMNS), *named(service, columns)]
        yield from wrong
        if any(row.verdict == "failed" for row in wrong):
            return
        chosen = layout(service, columns, file, night.name)
        selection = Selection(
            chosen.readings,
            night,
            source.queries[REQUESTS].bounded,
            rules(service, chosen.readings),
            crosses=chosen.crosses,
        )
        counted = count(source, selection, {}, {}, sample=0)
        yield from _night_rows(night, counted)
        yield from _outside_rows(source, selection)
        values, many = _categories(service_types(watch), source, selection) if counted.rows_read else ({}, ())
        yield from taken_for(service, "requests", columns, chosen, many)
        yield from crosses_of("requests", chosen)
        yield _feature_row(chosen, many)
        found = sample(source, REQUESTS, columns, night, "request_id", counted.rows_read)
        for name, some in values.items():
            found[name] = list(dict.fromkeys([*some, *found.get(name, ())]))
        yield from personal_rows("requests", file, roles(service, columns, chosen, many), found)
        yield _reference_row(watch, source, selection, columns)


def service_types(watch: Watch) -> frozenset[str]:
    """The columns that the service file declares to be categories however many values they have."""
    return frozenset(name for name, rule in watch.service.features.rules.items() if rule.type == "category")


def sample(
    source: Source, view: str, columns: Mapping[str, str], night: Night, key: str, rows: int
) -> dict[str, list[str]]:
    """Different values of every column among some rows of the night, as text; the same rows on every run."""
    if not rows or not columns:
        return {}
    most = min(SAMPLE_ROWS, max(SAMPLE_VALUES // len(columns), 200))
    statement = as_text(
        view, tuple(columns), most, (night.start, night.end), key=key, share=min(1.0, most / rows)
    )
    table = source.fetch(statement)
    texts = {name: distinct_texts(table[f"c_{n}"].to_pylist()) for n, name in enumerate(columns)}
    return {name: _whole_numbers(some) if columns[name] == "number" else some for name, some in texts.items()}


def _whole_numbers(values: list[str]) -> list[str]:
    """Numbers without the fraction that a decimal type writes: `52998224725.00` is eleven digits."""
    return [value.rstrip("0").removesuffix(".") if "." in value else value for value in values]


def _night_rows(night: Night, counted: Counted) -> Iterator[Row]:
    what, read = f"rows of {night.name}", counted.rows_read
    aside = {reason: rows for reason, rows in counted.reasons.items() if reason != KEPT}
    if not read:
        yield Row(what, "none", "warning", "Is the log late? Name another night with --date.")
    elif not aside:
        yield Row(what, f"{rows_in_words(read)} read, all kept")
    else:
        why = ", ".join(
            f"{text.term('en', 'reason', r)} {rows_in_words(n)}" for r, n in sorted(aside.items())
        )
        verdict = "warning" if counted.rows_kept else "failed"
        yield Row(
            what,
            # without their sum, from which a small part could be worked out
            f"about {text.roughly('en', read)} read; set aside: {why}",
            verdict,  # type: ignore[arg-type] # one of the two
            "These rows are not judged. Mend the query, or the rules in `features.rules`.",
        )
    copies = aside.get("request_id_duplicated", 0)
    if read and not copies:
        yield Row("ids", "none occurs twice")
    elif copies:
        advice = "The earliest row of an id is kept. Is the log written twice, or is this no id of a request?"
        yield Row("ids", f"{rows_in_words(copies)} rows repeat an id", "warning", advice)


def _outside_rows(source: Source, selection: Selection) -> Iterator[Row]:
    """An unbounded query is cut by time: what has none is in no night, and nobody would miss it."""
    if selection.bounded:
        return
    rows = int(source.fetch(without_time(selection.view))["rows"][0].as_py())
    if rows:
        advice = "They are in no night. Give them a time in the query, or leave them out there."
        yield Row("rows without a time", rows_in_words(rows), "warning", advice)
    else:
        yield Row("rows without a time", "none")


def _categories(
    declared: frozenset[str], source: Source, selection: Selection
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The most frequent values of each text column, and the columns that have too many to be a category."""
    names = [name for name, read in selection.columns.items() if read == "category"]
    values: dict[str, list[str]] = {}
    many: list[str] = []
    for first in range(0, len(names), COLUMNS_A_PASS):
        some = tuple(names[first : first + COLUMNS_A_PASS])
        narrow = replace(selection, rules=(), columns={
            name: read for name, read in selection.columns.items() if name in {"request_id", "time", *some}
        })  # fmt: skip
        with source.staged(marked(narrow)) as connection:
            table = arrow(connection, frequent(narrow, some, MOST_VALUES))
        for n, name in enumerate(some):
            own = table.filter(pc.is_valid(table[f"c_{n}"]))
            values[name] = [value for value in own[f"c_{n}"].to_pylist() if not value.startswith("\x1f")]
            if int(pc.max(own["values_in_all"]).as_py() or 0) > MOST_VALUES and name not in declared:
                many.append(name)
    return values, tuple(many)


def _feature_row(chosen: Layout, many: tuple[str, ...]) -> Row:
    features = [name for name in chosen.kinds if name not in many]
    if not features:
        advice = "Yield the model's inputs as columns; see what each is taken for below."
        return Row("features", "none", "warning", advice)
    return Row("features", f"{len(features)}: {names_in_words(features)}")


def _reference_row(watch: Watch, source: Source, selection: Selection, columns: Mapping[str, str]) -> Row:
    service = watch.service.service
    names = deployment_columns(tuple(columns))
    readings = {"request_id": "id", "time": "time", **dict.fromkeys(names, "category")}
    narrow = replace(selection, columns=readings, rules=())  # type: ignore[arg-type] # dict.fromkeys widens
    version = main_version(seen(service, source.fetch(served(narrow, names)))) if names else ""
    with reading(watch.state) as connection:
        own = latest_reference(connection, service, version)
        other = reference_for(connection, service, version, selection.window.end)
    of = f"model version {text.short(version)}" if version else "the model version the log does not name"
    command = f"ronda reference {service} --model-version {shlex.quote(text.short(version) or 'V')} --from DATE --to DATE"
    if own:
        first, last = dates_of(own.window_start, own.window_end, watch.service.time_zone)
        return Row("reference", f"{of}: {first} to {last}, frozen")
    if other:
        found = f"none of {of}; nights are compared with that of {text.short(other.model_version)}"
        return Row("reference", found, "warning", f"With the days it was trained on: {command}")
    return Row("reference", f"none of {of}", "warning", f"With the days it was trained on: {command}")
