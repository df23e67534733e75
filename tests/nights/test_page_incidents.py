"""Whole nights whose pages say what was planned, what goes on, and what people called noise."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from shop_changes import fail_half
from store.incidents import AnswerRow, answer
from store.state import writing


def page_of(nights: Any, row: Any) -> str:
    """The words of a night's page."""
    page = (nights.root / "var/lake" / row.page_path).read_text(encoding="utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_page_says_what_was_planned(nights: Any) -> None:
    """Half of all requests failed as the service file said they would: no incident, and the reason."""
    text = (nights.root / "services/shop.yaml").read_text()
    planned = f"planned: [{{from: {nights.night}, what: failover drill, affects: [errors]}}]\n"
    nights.file("services/shop.yaml", text + planned)
    nights.write_night(nights.night, fail_half)
    words = page_of(nights, nights.run().row)
    assert "Planned: failover drill explains errors." in words
    assert "incident 1" not in words


def test_a_page_says_which_floor_noise_raised(nights: Any) -> None:
    """The incident of one night is called noise, and the next night's page says what it takes from then on."""
    nights.write_night(nights.night, fail_half)
    words = page_of(nights, nights.run().row)
    assert "incident 1 · open, nobody looks after it" in words
    assert "noise of incident" not in words

    said = datetime(nights.night.year, nights.night.month, nights.night.day, 9, tzinfo=UTC) + timedelta(
        days=1
    )
    with writing(nights.watch().state) as connection:
        answer(connection, AnswerRow("shop", 1, "noise", "ana", "command", "command/1", said))
    after = nights.night + timedelta(days=1)
    nights.write_night(after)
    words = page_of(nights, nights.run(after, said + timedelta(days=1)).row)
    assert re.search(r"errors, noise of incident 1: told only from about \d+ times its floor on", words)
