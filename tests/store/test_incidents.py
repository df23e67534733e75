"""Incidents: numbered once, kept as they stand; what people said of them, once each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store import incidents
from store.backtests import BacktestRow, backtest_of, keep_backtest
from store.incidents import (
    AnswerRow,
    IncidentRow,
    TakenBackRow,
    answer,
    answers_of,
    incident_of,
    incidents_of,
    keep_incident,
)
from store.state import open_state, reading, writing
from store.tables import answers_taken_back, backtests, incident_answers
from store.tables import incidents as table

NOW = datetime(2026, 6, 25, 3, tzinfo=UTC)
JUNE = [date(2026, 6, day) for day in range(31)[1:]]
ROW = IncidentRow(
    service="eta",
    number=1,
    first=JUNE[8],
    opened=JUNE[9],
    last=JUNE[11],
    resolved=None,
    state="open",
    severity="major",
    seen=3,
    reopened=0,
    told="post",
    measure="null_share",
    feature="city",
    slice="os\x1fiOS",
    comparison="tonight",
    floors=7.25,
    up=True,
    keys='[["null_share","city","os\\u001fiOS"]]',
    detail="{}",
    recorded_at=NOW,
)
SAID = AnswerRow("eta", 1, "taken", "Ana <U1>", "slack", "reaction/eyes/U1", NOW)
BACKTEST = BacktestRow("eta", "aaa", 120, '{"pages":2}', NOW)
CASES = [
    (IncidentRow, table),
    (AnswerRow, incident_answers),
    (TakenBackRow, answers_taken_back),
    (BacktestRow, backtests),
]


@pytest.mark.parametrize(("kind", "of"), CASES)
def test_every_column_has_a_field(kind: type[IncidentRow], of: sa.Table) -> None:
    """A column that no field knows would be lost on the way."""
    assert {field.name for field in fields(kind)} == {column.name for column in of.columns}


def test_incidents_come_back_as_they_were(state: sa.Engine) -> None:
    """By number, each of its own service; whatever number a person types is looked for without harm."""
    other = replace(ROW, number=2, resolved=JUNE[14], up=False, told="", slice="", severity="critical")
    with writing(state) as connection:
        assert keep_incident(connection, other) == 1
        assert keep_incident(connection, ROW) == 2
        assert keep_incident(connection, replace(ROW, service="other", state="withdrawn")) == 3
    with reading(state) as connection:
        assert incidents_of(connection, "eta") == [replace(ROW, id=2), replace(other, id=1)]
        assert incident_of(connection, "eta", 2) == replace(other, id=1)
        assert incidents_of(connection, "nobody") == []
        for number in (3, 0, -1, 2**63 - 1, 2**63, 10**40):
            assert incident_of(connection, "eta", number) is None


def test_an_incident_is_replaced_whole(state: sa.Engine) -> None:
    """With the id it was read with; its id, service and number stay."""
    changed = {
        "first": JUNE[1], "opened": JUNE[2], "last": JUNE[3], "resolved": JUNE[4], "state": "resolved",
        "severity": "minor", "seen": 9, "reopened": 4, "told": "digest", "measure": "errors", "feature": "",
        "slice": "", "comparison": "week", "floors": 1.5, "up": False, "keys": "[]", "detail": '{"a":1}',
        "recorded_at": NOW + timedelta(days=1),
    }  # fmt: skip
    assert {*changed, "service", "number", "id"} == set(vars(ROW))
    with writing(state) as connection:
        keep_incident(connection, ROW)
        bystander = replace(ROW, number=2)
        keep_incident(connection, bystander)
        (known, _) = incidents_of(connection, "eta")
        later = replace(known, **changed)  # type: ignore[arg-type]  # of each its own kind
        assert keep_incident(connection, later) == known.id
        assert incidents_of(connection, "eta") == [later, replace(bystander, id=2)]
        assert keep_incident(connection, replace(later, resolved=None)) == known.id
        assert incidents_of(connection, "eta")[0].resolved is None


def test_a_new_incident_may_be_kept_again_before_it_is_read(state: sa.Engine) -> None:
    """The run that opened it adds to it, and knows no id yet."""
    told = replace(ROW, told="digest", detail='{"a":1}', state="acknowledged")
    with writing(state) as connection:
        kept = keep_incident(connection, replace(ROW, told=""))
        assert keep_incident(connection, told) == kept
        assert incidents_of(connection, "eta") == [replace(told, id=kept)]


@pytest.mark.parametrize("other", [{"recorded_at": NOW + timedelta(seconds=1)}, {"opened": JUNE[10]}])
def test_a_number_that_is_taken_is_refused(state: sa.Engine, other: dict[str, object]) -> None:
    """Whoever comes second is told who has the number, and changes nothing."""
    with writing(state) as connection:
        keep_incident(connection, ROW)
    second = replace(ROW, measure="errors", feature="", **other)  # type: ignore[arg-type]  # of each its own kind
    with pytest.raises(StateError) as refused, writing(state) as connection:
        keep_incident(connection, second)

    said = (
        "service eta: the number 1 belongs to another incident since a moment ago (null_share of city, opened "
        f"2026-06-10; this one: errors of the whole service, opened {second.opened}). Nothing was recorded."
    )
    assert str(refused.value).startswith(said)
    with reading(state) as connection:
        assert incidents_of(connection, "eta") == [replace(ROW, id=1)]


@pytest.mark.parametrize("wrong", [{"id": 7}, {"number": 2}, {"service": "other"}])
def test_an_id_of_another_incident_is_refused(state: sa.Engine, wrong: dict[str, object]) -> None:
    """An id, a service and a number that do not belong together would put one incident over another."""
    with writing(state) as connection:
        keep_incident(connection, ROW)
    with pytest.raises(StateError, match="is no longer in the state"), writing(state) as connection:
        keep_incident(connection, replace(ROW, **({"id": 1} | wrong)))  # type: ignore[arg-type]  # as above
    with reading(state) as connection:
        assert incidents_of(connection, "eta") == [replace(ROW, id=1)]


def test_numbers_go_up_by_service(state: sa.Engine) -> None:
    """The next is after the highest, not in a gap."""
    with writing(state) as connection:
        assert incidents.next_number(connection, "eta") == 1
        keep_incident(connection, replace(ROW, number=4))
        keep_incident(connection, replace(ROW, number=2))
        assert incidents.next_number(connection, "eta") == 5
        assert incidents.next_number(connection, "other") == 1


def test_one_number_is_given_once(
    state: sa.Engine, state_url: str, at_once: Callable[[Callable[[int], str], int], list[str]]
) -> None:
    """Six processes were told the same number: one keeps it, five are told so, and none is overwritten."""
    engines = [open_state(state_url) for _ in range(6)]

    def give(worker: int) -> str:
        row = replace(ROW, feature=f"feature {worker}", recorded_at=NOW + timedelta(microseconds=worker))
        try:
            with writing(engines[worker]) as connection:
                keep_incident(connection, row)
        except StateError as error:
            return str(error)
        return row.feature

    said = at_once(give, 6)
    with reading(state) as connection:
        (kept,) = incidents_of(connection, "eta")
    assert said.count(kept.feature) == 1
    assert sum("belongs to another incident" in each for each in said) == 5
    for engine in engines:
        engine.dispose()


def test_runs_at_once_take_numbers_of_their_own(
    state: sa.Engine, state_url: str, at_once: Callable[[Callable[[int], int], int], list[int]]
) -> None:
    """Whoever reads what moved in order to write waits for the other: six runs, six numbers, and none fails."""
    engines = [open_state(state_url) for _ in range(6)]

    def give(worker: int) -> int:
        with writing(engines[worker]) as connection:
            incidents.moves_since(connection, "eta", None, JUNE[20])
            number = incidents.next_number(connection, "eta")
            time.sleep(0.02)
            keep_incident(
                connection, replace(ROW, number=number, recorded_at=NOW + timedelta(microseconds=worker))
            )
            return number

    assert sorted(at_once(give, 6)) == [1, 2, 3, 4, 5, 6]
    for engine in engines:
        engine.dispose()


def test_who_only_reads_waits_for_nobody(state: sa.Engine, state_url: str) -> None:
    """A page can be read while a run holds the incidents; so can those of another service be written."""
    other = open_state(state_url)
    with writing(state) as connection:
        incidents.moves_since(connection, "eta", None, JUNE[20])
        with reading(other) as beside:
            assert incidents.moves_since(beside, "eta", None, JUNE[20]) == {}
        if state.dialect.name == "postgresql":
            with writing(other) as beside:
                beside.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
                assert incidents.moves_since(beside, "shop", None, JUNE[20]) == {}
                with pytest.raises(sa.exc.OperationalError, match="lock timeout"), beside.begin_nested():
                    incidents.moves_since(beside, "eta", None, JUNE[20])
    other.dispose()


@pytest.mark.parametrize("wrong", [{"state": "closed"}, {"severity": "grave"}])
def test_words_are_of_their_lists(state: sa.Engine, wrong: dict[str, str]) -> None:
    """The databases themselves hold the lists."""
    with pytest.raises(sa.exc.IntegrityError), writing(state) as connection:
        keep_incident(connection, replace(ROW, **wrong))  # type: ignore[arg-type]  # the point of the test


def test_an_answer_is_recorded_once(state: sa.Engine) -> None:
    """The same reaction, read every quarter of an hour, is one answer; the first reading stands."""
    until = replace(SAID, what="muted", key="command/1", source="command", until=JUNE[20], reason="'; --")
    with writing(state) as connection:
        assert answer(connection, SAID)
        assert not answer(connection, replace(SAID, at=NOW + timedelta(hours=1), by="Eva", what="noise"))
        assert answer(connection, replace(SAID, number=2))
        assert answer(connection, replace(SAID, service="other"))
        assert answer(connection, until)
    with reading(state) as connection:
        found = [replace(each, id=0) for each in answers_of(connection, "eta")]
        assert found == [SAID, replace(SAID, number=2), until]
        assert answers_of(connection, "nobody") == []


def test_answers_are_in_the_order_they_were_said(state: sa.Engine) -> None:
    """By time, and by id where two came at once: not in the order they were read."""
    minutes = {"late": 9, "early": 1, "first": 5, "second": 5}
    with writing(state) as connection:
        for key, each in minutes.items():
            answer(connection, replace(SAID, key=key, at=NOW + timedelta(minutes=each)))
        assert [each.key for each in answers_of(connection, "eta")] == ["early", "first", "second", "late"]


def test_an_answer_can_be_taken_back_and_given_again(state: sa.Engine) -> None:
    """One answer of one incident; a reaction that is set again counts again."""
    with writing(state) as connection:
        kept = [replace(SAID, number=2), replace(SAID, service="other"), replace(SAID, key="other")]
        for each in (SAID, *kept):
            answer(connection, each)
        assert incidents.take_answer_back(connection, "eta", 1, SAID.key, "Eva", NOW)
        assert not incidents.take_answer_back(connection, "eta", 1, SAID.key, "Eva", NOW)
        left = [*answers_of(connection, "eta"), *answers_of(connection, "other")]
        assert sorted((each.service, each.number, each.key) for each in left) == sorted(
            (each.service, each.number, each.key) for each in kept
        )
        assert answer(connection, SAID)
        later = NOW + timedelta(hours=1)
        assert incidents.take_answer_back(connection, "eta", 1, SAID.key, SAID.by, later)
        back = incidents.answers_back_of(connection, "eta")
        assert [(each.back_by, each.back_at) for each in back] == [("Eva", NOW), (SAID.by, later)]
        own = [field.name for field in fields(AnswerRow) if field.name != "id"]
        assert [[getattr(each, name) for name in own] for each in back] == [
            [getattr(SAID, name) for name in own]
        ] * 2
        assert incidents.answers_back_of(connection, "other") == []


@pytest.mark.parametrize("wrong", [{"what": "maybe"}, {"source": "mail"}])
def test_answers_are_of_their_lists(state: sa.Engine, wrong: dict[str, str]) -> None:
    """The databases themselves hold the lists."""
    with pytest.raises(sa.exc.IntegrityError), writing(state) as connection:
        answer(connection, replace(SAID, **wrong))  # type: ignore[arg-type]  # the point of the test


def test_of_many_readers_one_records(
    state: sa.Engine, at_once: Callable[[Callable[[int], bool], int], list[bool]]
) -> None:
    """Two rounds may read the same reaction at once."""

    def read(_worker: int) -> bool:
        with writing(state) as connection:
            return answer(connection, SAID)

    assert sorted(at_once(read, 6)) == [False] * 5 + [True]


def test_the_last_backtest_of_a_service_is_kept(state: sa.Engine) -> None:
    """All of it is the new one's; other services keep theirs."""
    later = BacktestRow("eta", "bbb", 121, '{"pages":3}', NOW + timedelta(days=1))
    with writing(state) as connection:
        assert backtest_of(connection, "eta") is None
        keep_backtest(connection, BACKTEST)
        keep_backtest(connection, replace(BACKTEST, service="other"))
        assert backtest_of(connection, "eta") == replace(BACKTEST, id=1)
        keep_backtest(connection, later)
        assert backtest_of(connection, "eta") == replace(later, id=1)
        assert backtest_of(connection, "other") == replace(BACKTEST, service="other", id=2)
