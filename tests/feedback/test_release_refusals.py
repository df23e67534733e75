"""What a release refuses: each refusal says why and what to do, and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from feedback.night import mature
from feedback.records import Wanted
from feedback.release import release
from services.errors import NightError, RondaError, SourceError, UsageError
from services.window import night_of, window_between
from store.tables import releases
from store.watch import Watch

FIRST = date(2026, 5, 10)
WINDOW = window_between(FIRST, date(2026, 5, 12), "UTC")
WANTED = Wanted({"size": "number"})


def matured(watch: Watch, world: Any) -> Watch:
    """The service with the outcomes of its first two nights recorded."""
    for later in (1, 2):
        mature(watch, night_of(FIRST + timedelta(days=later), "UTC"), world.later)
    return watch


def small(world: Any) -> tuple[list[Any], list[Any]]:
    """One request with an outcome, one without, one without an id."""
    requests = [world.request("a", 8), world.request("b", 9), world.request(None, 10)]
    return requests, [world.event("e", "a", world.at(9), 5.0)]


def nothing_written(watch: Watch) -> bool:
    """No release stands in the state or the lake."""
    with watch.state.connect() as connection:
        recorded = connection.execute(sa.select(releases)).all()
    return not recorded and not [path for path in watch.lake.list() if path.startswith("releases/")]


@pytest.mark.parametrize(
    ("feature", "found"),
    [
        ("user_id", "user id"),
        ("prompt", "an id, a time or a text"),
        ("cpf", "CPF"),
        ("customer_email", "e-mail"),
        ("label", "of its own"),
    ],
)
def test_no_such_feature(feature: str, found: str, world: Any) -> None:
    """A person's data, a text or one of our own columns is refused by name, before anything is read."""
    watch = matured(world.watch(*small(world)), world)
    with pytest.raises(UsageError, match=rf"^shop: .*{feature}.*{found}"):
        release(watch, WINDOW, replace(WANTED, features={feature: "category"}), world.later)


def test_errors_say_what_to_do(world: Any) -> None:
    """Nothing mature, a missing feature, another rule, no row left, no outcome: each is told, nothing is written."""
    rows = small(world)
    fresh = world.watch(*rows)
    cases: list[tuple[Watch, Wanted, type[RondaError], str]] = [
        (fresh, WANTED, NightError, r"complete at 2026-05-12 00:00 UTC, and are made with the night of 2026-05-11"),
        (
            matured(world.watch(*rows), world), replace(WANTED, features={"wind": "number"}, rules=()),
            SourceError, r"^shop, 2026-05-10: sql/shop/requests.sql yields no column wind",
        ),
        (
            world.watch(*rows, outcome="{event: rated, positive: stars > 4, window: 1d}", home=matured(world.watch(*rows), world).home.root),
            WANTED, NightError, r"^shop, 2026-05-10: .*another rule.*stars > 3.*night of 2026-05-11 again",
        ),
        (matured(world.watch(rows[0], []), world), WANTED, NightError, r"no request is left to learn from: no_feedback 2, quarantined_request_id_missing 1"),
        (world.watch(*rows, outcome="null"), WANTED, UsageError, r"^shop: its service file has no `outcome`"),
    ]  # fmt: skip
    for watch, wanted, kind, message in cases:
        with pytest.raises(kind, match=message):
            release(watch, WINDOW, wanted, world.later)
        assert nothing_written(watch)
