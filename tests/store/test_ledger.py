"""References and nights: recorded once, revised when their content changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import ReferenceFrozenError, StateError
from store import ledger, references
from store.ledger import FindingRow, NightRow, NumberRow, QuarantineRow, record_night
from store.references import ReferenceRow, add_reference, latest_reference
from store.rows import Recorded
from store.state import open_state, reading, writing

Everything = Callable[[sa.Engine], dict[str, list[tuple[object, ...]]]]
AtOnce = Callable[[Callable[[int], Recorded], int], list[Recorded]]

START = datetime(2013, 1, 1, 5, tzinfo=UTC)
NOW = datetime(2013, 7, 2, 3, tzinfo=UTC)
JUNE_24 = date(2013, 6, 24)

REFERENCE = ReferenceRow(
    service="flight_delay",
    model_version="v1",
    content_sha="aaa",
    kind="training",
    window_start=START,
    window_end=START + timedelta(days=90),
    rows_read=80_000,
    rows_kept=79_000,
    path="references/aaa.parquet",
    chosen='{"grid":1}',
    recorded_at=NOW,
)
NIGHT = NightRow(
    service="flight_delay",
    night=JUNE_24,
    content_sha="n1",
    window_start=datetime(2013, 6, 24, 4, tzinfo=UTC),
    window_end=datetime(2013, 6, 25, 4, tzinfo=UTC),
    reference_id=1,
    rows_read=100,
    rows_kept=97,
    recorded_at=NOW,
    profile_path="nights/n1.parquet",
)
COUNTS = {"kept": 97, "duplicate_id": 2, "out_of_range": 1}
QUARANTINED = [QuarantineRow("req-1", "duplicate_id"), QuarantineRow("req-2", "out_of_range")]
NUMBERS = [NumberRow("null_share", "wind_speed", 0.25, 25, 100), NumberRow("requests", "", 100.0)]
FINDINGS = [
    FindingRow(
        measure="js",
        feature="carrier",
        comparison="training",
        outcome="drifted",
        slice="origin",
        slice_value="JFK",
        effect=0.2,
        floor=0.1,
        rows_reference=79_000,
        rows_current=97,
        unit="distance",
        direction="up",
        reference_value=0.5,
        current_value=0.7,
        detail='{"top":["UA"]}',
    ),
    FindingRow("null", "temp", "training", "not_computed", reason="all_null"),
]


@pytest.fixture
def ready(state: sa.Engine) -> sa.Engine:
    """A state that holds the reference, as row 1."""
    with writing(state) as connection:
        assert add_reference(connection, REFERENCE) == Recorded(id=1, revision=1, is_new=True)
    return state


def _record(engine: sa.Engine, night: NightRow) -> Recorded:
    with writing(engine) as connection:
        return record_night(
            connection, night, COUNTS, quarantined=QUARANTINED, measured=NUMBERS, found=FINDINGS
        )


def test_a_reference_comes_back_as_it_was(ready: sa.Engine) -> None:
    """All its fields; by version, as the last of the service, and by id."""
    expected = replace(REFERENCE, id=1, revision=1)
    with reading(ready) as connection:
        assert latest_reference(connection, "flight_delay", "v1") == expected
        assert latest_reference(connection, "flight_delay") == expected
        assert references.reference_of(connection, 1) == expected
        assert latest_reference(connection, "flight_delay", "v2") is None
        assert latest_reference(connection, "eta") is None
        with pytest.raises(StateError, match="no reference number 2"):
            references.reference_of(connection, 2)


def test_the_same_reference_again_writes_nothing(ready: sa.Engine, everything: Everything) -> None:
    """Nor does a later time of recording count as other content."""
    before = everything(ready)
    with writing(ready) as connection:
        again = add_reference(connection, replace(REFERENCE, recorded_at=NOW + timedelta(days=1)))

    assert again == Recorded(id=1, revision=1, is_new=False)
    assert everything(ready) == before


def test_a_reference_is_frozen(ready: sa.Engine) -> None:
    """Another one takes a reason, which is kept; blanks are no reason."""
    other = replace(REFERENCE, content_sha="bbb", rows_kept=78_000)
    for reason in ("", "  "):
        with pytest.raises(ReferenceFrozenError) as refused, writing(ready) as connection:
            add_reference(connection, replace(other, reason=reason))
    assert "service flight_delay: model version v1 has a reference already (revision 1, 2013-01-01 to 2013-04-01, 79000 rows)" in str(refused.value)  # fmt: skip

    with writing(ready) as connection:
        recorded = add_reference(connection, replace(other, reason="retrained without March"))
        other_version = add_reference(connection, replace(other, model_version="v2"))
        latest = latest_reference(connection, "flight_delay", "v1")
        last = latest_reference(connection, "flight_delay")

    assert (recorded.revision, recorded.is_new) == (2, True)
    assert (other_version.revision, other_version.is_new) == (1, True)
    assert latest is not None
    assert (latest.content_sha, latest.reason) == ("bbb", "retrained without March")
    assert last is not None
    assert last.model_version == "v2"


def test_a_night_comes_back_as_it_was(ready: sa.Engine) -> None:
    """With its counts, sample, numbers and findings, ordered by their keys."""
    recorded = _record(ready, NIGHT)

    assert recorded == Recorded(id=1, revision=1, is_new=True)
    with reading(ready) as connection:
        assert ledger.latest_night(connection, "flight_delay", JUNE_24) == replace(NIGHT, id=1, revision=1)
        assert ledger.latest_night(connection, "flight_delay", date(2013, 6, 25)) is None
        assert ledger.counts_of(connection, 1) == COUNTS
        assert ledger.quarantine_of(connection, 1) == QUARANTINED
        assert ledger.numbers_of(connection, 1) == NUMBERS
        assert ledger.findings_of(connection, 1) == FINDINGS


def test_the_same_night_again_changes_no_row(ready: sa.Engine, everything: Everything) -> None:
    """Run twice, one record: not a row, not a time."""
    _record(ready, NIGHT)
    before = everything(ready)

    assert _record(ready, replace(NIGHT, recorded_at=NOW + timedelta(days=3))) == Recorded(1, 1, is_new=False)
    assert everything(ready) == before


def test_late_rows_make_a_revision(ready: sa.Engine, everything: Everything) -> None:
    """The old one stays; content that goes back to it is a third revision, not silence."""
    _record(ready, NIGHT)
    changed = '{"rows_read":[99,100]}'

    assert _record(ready, replace(NIGHT, content_sha="n2", changed=changed)).revision == 2
    assert _record(ready, replace(NIGHT, content_sha="n1")).revision == 3
    with reading(ready) as connection:
        latest = ledger.latest_night(connection, "flight_delay", JUNE_24)
        assert latest is not None
        assert (latest.revision, latest.content_sha) == (3, "n1")
        assert [night.revision for night in ledger.nights_of(connection, "flight_delay")] == [3]
        assert ledger.findings_of(connection, 1) == FINDINGS
    assert [row[-5] for row in everything(ready)["nights"]] == ["", changed, ""]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"kept": 97, "duplicate_id": 2},
            "100 rows were read, but 99 are accounted for (duplicate_id 2, kept 97)",
        ),
        ({}, "100 rows were read, but 0 are accounted for (none)"),
        ({"kept": 96, "late": 4}, "97 rows were kept, but the counts say otherwise (kept 96, late 4)"),
    ],
)
def test_a_lost_row_stops_the_night(
    ready: sa.Engine, counts: dict[str, int], message: str, everything: Everything
) -> None:
    """Read = kept + quarantined by reason, or nothing is recorded."""
    with pytest.raises(StateError) as refused, writing(ready) as connection:
        record_night(connection, NIGHT, counts)

    assert str(refused.value).startswith("service flight_delay, night 2013-06-24: ")
    assert message in str(refused.value)
    assert everything(ready)["nights"] == []


def test_half_a_night_is_not_kept(ready: sa.Engine, everything: Everything) -> None:
    """A finding that cannot be stored takes its whole night with it."""
    broken = [*FINDINGS, replace(FINDINGS[0], feature="dest", effect=float("inf"))]
    before = everything(ready)

    with pytest.raises(StateError, match="inf cannot be kept"), writing(ready) as connection:
        record_night(connection, NIGHT, COUNTS, measured=NUMBERS, found=broken)

    assert everything(ready) == before


def test_an_outcome_must_be_one_of_the_four(ready: sa.Engine) -> None:
    """The databases themselves hold the list."""
    wrong = replace(FINDINGS[0], outcome="maybe")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(sa.exc.IntegrityError), writing(ready) as connection:
        record_night(connection, NIGHT, COUNTS, found=[wrong])


def test_numbers_before_takes_dates_and_latest_revisions(ready: sa.Engine) -> None:
    """The 28 dates before: not the night itself, nothing older, no other service, gaps left as gaps."""
    shares = {29: 0.9, 28: 0.28, 3: 0.03, 1: 0.01, 0: 0.5, -1: 0.6}
    with writing(ready) as connection:
        for days, share in shares.items():
            night = replace(NIGHT, night=JUNE_24 - timedelta(days=days))
            measured = [NumberRow("null_share", "temp", share), NumberRow("errors", "", None)]
            record_night(connection, night, COUNTS, measured=measured)
        revised = replace(NIGHT, night=JUNE_24 - timedelta(days=3), content_sha="n2")
        record_night(connection, revised, COUNTS, measured=[NumberRow("null_share", "temp", 0.33, 33, 100)])
        record_night(connection, replace(revised, service="eta"), COUNTS, measured=NUMBERS)
    with reading(ready) as connection:
        found = ledger.numbers_before(connection, "flight_delay", JUNE_24)
        two = ledger.numbers_before(connection, "flight_delay", JUNE_24, nights_back=2)

    errors = NumberRow("errors", "", None)
    assert list(found.items()) == [
        (date(2013, 5, 27), [errors, NumberRow("null_share", "temp", 0.28)]),
        (date(2013, 6, 21), [NumberRow("null_share", "temp", 0.33, 33, 100)]),
        (date(2013, 6, 23), [errors, NumberRow("null_share", "temp", 0.01)]),
    ]
    assert list(two) == [date(2013, 6, 23)]


@pytest.mark.parametrize("contents", [["n1"] * 8, [f"n{worker}" for worker in range(8)]])
def test_eight_writers_of_one_night(
    ready: sa.Engine, state_url: str, contents: list[str], everything: Everything, at_once: AtOnce
) -> None:
    """The same content eight times is one revision; eight contents are eight, numbered without a gap."""
    engines = [open_state(state_url) for _ in contents]
    recorded = at_once(
        lambda worker: _record(engines[worker], replace(NIGHT, content_sha=contents[worker])), 8
    )

    distinct = len(set(contents))
    assert sorted(row.revision for row in recorded if row.is_new) == list(range(1, distinct + 1))
    found = everything(ready)
    assert len(found["nights"]) == distinct
    assert len(found["findings"]) == distinct * len(FINDINGS)
    for engine in engines:
        engine.dispose()


def test_hostile_names_are_only_names(ready: sa.Engine) -> None:
    """A feature or slice value that a user typed is kept as text, shortened for the key if need be."""
    names = ["'; DROP TABLE nights; --", "</script>", "a\x00b", "%s", ":night_id", "x" * 5000, "x" * 5001]
    found = [replace(FINDINGS[0], feature=name, slice_value=name) for name in names]
    with writing(ready) as connection:
        record_night(connection, NIGHT, COUNTS, found=found)
        kept = {row.feature for row in ledger.findings_of(connection, 1)}

    assert len(kept) == len(names)
    assert {*names[:2], "a�b", *names[3:5]} <= kept
