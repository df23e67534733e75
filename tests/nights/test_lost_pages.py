"""A page that was lost, or is not the night's own, comes back, and nothing else happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from monitoring.night import run
from services.window import night_of
from shop_changes import fail_half
from store.state import reading
from store.tables import digest_lines, messages

NOW = datetime(2026, 5, 20, tzinfo=UTC)


def said(shop: Any) -> int:
    """How many messages and lines for the morning there are."""
    with reading(shop.watch().state) as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (messages, digest_lines)
        ]
    return sum(counts)


def test_a_night_that_was_filled_in_silently_stays_silent(nights: Any) -> None:
    """Its lost page is written again by an ordinary run, which tells nobody of a night that is long known."""
    nights.write_night(nights.night, fail_half)
    written = run(nights.watch(), night_of(nights.night, "UTC"), NOW, tell=False)
    page = nights.root / "var/lake" / written.row.page_path
    before = page.read_bytes()
    page.unlink()

    assert not nights.run().recorded.is_new
    assert page.read_bytes() == before
    assert said(nights) == 0


def test_a_page_of_other_content_is_written_again(frozen_shop: Any) -> None:
    """A killed run may leave another page under the night's name: the night's own replaces it."""
    page = frozen_shop.root / "var/lake" / frozen_shop.run().row.page_path
    before = page.read_bytes()
    page.write_text("the page of a run that was killed")

    assert not frozen_shop.run().recorded.is_new
    assert page.read_bytes() == before
