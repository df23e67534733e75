"""The feedback of the newest requests that are old enough, and what the training pipeline has for a night."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from monitoring import text
from monitoring.extract import layout
from ronda.check_columns import needed, roles, taken_for
from ronda.check_personal import Role, kinds_in, personal_rows, suspects_in
from ronda.check_requests import SAMPLE_ROWS, sample
from ronda.check_row import Column, Row, names_in_words, part_in_words, rows_in_words
from services.columns import FEEDBACK_COLUMNS, REQUIRED_FEEDBACK_COLUMNS, REQUIRED_REQUEST_COLUMNS
from services.conditions import Condition, parse_condition
from services.model import Outcome
from services.problems import nearest
from services.window import Night, Window, cohort_of, longer, night_of
from store.inspect import answered, by_value, every, matched, values_of
from store.query import FEEDBACK, REQUESTS, TRAINING
from store.source import Source
from store.statement import Reading, Selection
from store.watch import Watch

_REQUEST: Mapping[str, Reading] = {"request_id": "id", "time": "time"}
_EVENT: Mapping[str, Reading] = {
    "event_id": "id", "request_id": "id", "type": "category", "time": "time", "known_at": "time",
}  # fmt: skip
_TAKEN = {"type": "event type", "value": "event value"}
_MOST_TYPES = 50


def feedback_rows(watch: Watch, night: Night) -> Iterator[Row | Column]:
    """What the feedback query yields for the newest requests whose outcome is known once `night` is over.

    Raises:
        SourceError: the source refuses; the rows yielded before stand.
    """
    service, file, outcome = watch.service, str(watch.service.feedback), watch.service.outcome
    day = cohort_of(night.date, outcome.window) if outcome else night.date
    asked = night_of(day, service.time_zone)
    window = longer(asked, outcome.window) if outcome else asked
    with watch.source({REQUESTS: asked, FEEDBACK: window}) as source:
        columns = source.columns(FEEDBACK)
        yield Row("feedback query", f"{file} yields {len(columns)} columns")
        required = (*REQUIRED_FEEDBACK_COLUMNS, *(["value"] if outcome else []))
        wrong = list(needed("feedback", file, columns, required))
        yield from wrong
        if wrong:
            return
        for name, engine in columns.items():
            yield Column("feedback", name, engine, _TAKEN.get(name, FEEDBACK_COLUMNS.get(name, "ignored")))
        selection = _selected(source, FEEDBACK, window, _EVENT, columns)
        types = _by_value(source, selection)
        yield _types_row(types, window)
        if outcome and types:
            yield from _outcome_rows(source, selection, outcome, asked, types)
        some = _sampled(source, FEEDBACK, columns, window, "event_id")
        held: dict[str, Role] = dict.fromkeys(columns, "unstored")
        yield from personal_rows("feedback", file, held | {"type": "counted"}, some | {"type": list(types)})


def training_rows(watch: Watch, night: Night) -> Iterator[Row | Column]:
    """What the training pipeline has for the requests of a night.

    Raises:
        SourceError: the source refuses; the rows yielded before stand.
    """
    service, file = watch.service, str(watch.service.training)
    with watch.source({REQUESTS: night, TRAINING: night}) as source:
        columns = source.columns(TRAINING)
        yield Row("training query", f"{file} yields {len(columns)} columns")
        wrong = list(needed("training", file, columns, REQUIRED_REQUEST_COLUMNS))
        yield from wrong
        if wrong:
            return
        chosen = layout(service, columns, file, night.name)
        logged = source.columns(REQUESTS)
        # the same columns once more would only make the table long
        yield from (
            column
            for column in taken_for(service, "training", columns, chosen, ())
            if logged.get(column.name) != column.engine
        )
        served = layout(service, logged, str(service.requests), night.name)
        absent = [name for name in served.kinds if name not in columns]
        if absent:
            advice = f"Add them to {file} if the model is trained on them; else they are held against the log's own past."
            yield Row("training features", f"not there: {names_in_words(absent)}", "warning", advice)
        other = [name for name in served.kinds if columns.get(name, logged[name]) != logged[name]]
        if other:
            advice = f"Cast them to one type in {file} or in {service.requests}: they cannot be compared as they are."
            yield Row("training types", f"not the log's: {names_in_words(other)}", "warning", advice)
        requests = _selected(source, REQUESTS, night, _REQUEST, columns)
        both = source.fetch(matched(requests, _selected(source, TRAINING, night, _REQUEST, columns)))
        yield _joined_row(both["matched"][0].as_py(), both["requests"][0].as_py(), night, file)
        some = _sampled(source, TRAINING, columns, night, "request_id")
        yield from personal_rows("training", file, roles(service, columns, chosen, ()), some)


def _selected(
    source: Source, view: str, window: Window, readings: Mapping[str, Reading], columns: Mapping[str, str]
) -> Selection:
    value: dict[str, Reading] = {"value": "category"} if view == FEEDBACK and "value" in columns else {}
    return Selection({**readings, **value}, window, source.queries[view].bounded, view=view)


def _sampled(
    source: Source, view: str, columns: Mapping[str, str], window: Window, key: str
) -> dict[str, list[str]]:
    span = Night(window.start, window.end, window.first, window.last)
    rows = int(source.fetch(every(view, (span.start, span.end)))["rows"][0].as_py())
    return sample(source, view, columns, span, key, rows)


def _by_value(source: Source, selection: Selection) -> dict[str, int]:
    table = source.fetch(by_value(selection, "type", _MOST_TYPES))
    return dict(zip(table["value"].to_pylist(), table["rows"].to_pylist(), strict=True))


def _types_row(types: Mapping[str, int], window: Window) -> Row:
    what = "feedback events"
    days = f"{window.first:%Y-%m-%d} to {window.last:%Y-%m-%d}"
    if not types:
        advice = "Is the feedback late, or does the query look at another table?"
        return Row(what, f"none from {days}", "warning", advice)
    return Row(what, f"{days}: {_types_in_words(types)}")


def _types_in_words(types: Mapping[str, int], most: int = 6) -> str:
    """Types with their counts; only counts if any of them could be personal data."""
    words = list(types)
    if kinds_in("type", words) or suspects_in(words) or len(words) >= _MOST_TYPES:
        return f"{rows_in_words(sum(types.values()))} events of {len(words)} types or more"
    shown = [
        f"`{text.short(name, 40) or 'empty'}` {rows_in_words(n)}" for name, n in list(types.items())[:most]
    ]
    return ", ".join(shown) + (f" and {len(types) - most} more types" if len(types) > most else "")


def _outcome_rows(
    source: Source, selection: Selection, outcome: Outcome, asked: Night, types: Mapping[str, int]
) -> Iterator[Row]:
    event = text.short(outcome.event, 40)
    if outcome.event not in types:
        near = nearest(outcome.event, list(types))
        safe = near is not None and not (kinds_in("type", [near]) or suspects_in([near]))
        meant = f"Did you mean `{text.short(near or '', 40)}`? " if safe else ""
        advice = f"{meant}Write a type that occurs in `outcome.event`. Types seen: {_types_in_words(types)}."
        yield Row("outcome", f"no event is of type `{event}`", "failed", advice)
        return
    found = source.fetch(values_of(selection, outcome.event, SAMPLE_ROWS))
    yield _values_row(outcome, dict(zip(found["value"].to_pylist(), found["rows"].to_pylist(), strict=True)))
    requests = _selected(source, REQUESTS, asked, _REQUEST, {})
    both = source.fetch(answered(requests, selection, outcome.event, outcome.window))
    yield _answered_row(both["answered"][0].as_py(), both["requests"][0].as_py(), asked, event)


def _values_row(outcome: Outcome, values: Mapping[str | None, int]) -> Row:
    """Whether the condition can be asked of the values that are there."""
    condition, what = parse_condition(outcome.positive), "outcome"
    written, events = f"`{text.short(outcome.positive)}`", sum(values.values())
    odd = sum(rows for value, rows in values.items() if not _comparable(condition, value))
    if odd == events:
        kind = "a number" if isinstance(condition.operand, float) else "a word"
        advice = f"`positive` compares with {kind}: change it, or yield such a `value` in the feedback query."
        return Row(what, f"{written} can be asked of no value", "failed", advice)
    if odd:
        advice = "Events whose value is empty or of another kind give no outcome."
        return Row(
            what, f"{written} cannot be asked of {part_in_words(odd, events)} values", "warning", advice
        )
    if isinstance(condition.operand, str) and condition.operand not in values:
        advice = "If the word is right, there is nothing to do; else mend `outcome.positive`."
        return Row(what, f"no value is `{text.short(condition.operand, 40)}`", "warning", advice)
    return Row(what, f"{written} can be asked of all values")


def _comparable(condition: Condition, value: str | None) -> bool:
    if value is None or not value.strip():
        return False
    if isinstance(condition.operand, str):
        return True
    try:
        return not math.isnan(float(value))
    except ValueError:
        return False


def _answered_row(part: int, whole: int, asked: Night, event: str) -> Row:
    what, found = (
        "feedback join",
        f"{asked.name}: {part_in_words(part, whole)} requests have a `{event}` in time",
    )
    if not whole:
        return Row(what, f"{asked.name}: no requests", "warning", "Name a later night with --date.")
    if not part:
        advice = "Does `request_id` of the feedback hold the same ids as the log's, and is `outcome.window` long enough?"
        return Row(what, found, "failed", advice)
    return Row(what, found)


def _joined_row(part: int, whole: int, night: Night, file: str) -> Row:
    found = f"{night.name}: {part_in_words(part, whole)} requests have a row"
    if whole and not part:
        advice = f"Skew cannot be seen. Does `request_id` in {file} hold the log's ids, and does it have this night?"
        return Row("training join", found, "warning", advice)
    return Row("training join", found)
