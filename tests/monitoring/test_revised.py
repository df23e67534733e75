"""What a revision says of itself: rows by reason, else columns, and never a count of 1 to 9."""

from __future__ import annotations

from itertools import product

import pytest

from monitoring.revised import changes


def test_in_words() -> None:
    """In the language of the service; what did not change is not told."""
    before, now = {"kept": 1200, "time_missing": 30}, {"kept": 1340, "time_missing": 30, "outside_night": 12}
    assert (
        changes("en", before, now, ("price",))
        == "kept and judged: 1,200 → 1,340 rows; time outside the night: 0 → 12 rows"
    )
    assert (
        changes("pt", before, now, ())
        == "mantidas e julgadas: 1.200 → 1.340 linhas; horário fora da noite: 0 → 12 linhas"
    )
    assert changes("en", {}, now, ()) == ""


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ((), "same rows; the outcome, the reference, the service file or its rules are not what they were"),
        (("price",), "other values of price"),
        (tuple("abcdefg"), "other values of a, b, c, d, e and 2 more"),
    ],
)
def test_the_same_rows(columns: tuple[str, ...], told: str) -> None:
    """Then the columns whose values changed are named, five at most."""
    assert changes("en", {"kept": 5}, {"kept": 5}, columns) == told


def test_no_small_count_can_be_read() -> None:
    """Whatever stands there, each count of 1 to 9, and each difference of so many, could have made it."""
    words: dict[str, set[tuple[int, int]]] = {}
    for was, now in product(range(60), range(60)):
        words.setdefault(changes("en", {"kept": was}, {"kept": now}, ()), set()).add((was, now))
    for text, pairs in words.items():
        for was, now in pairs - {(was, was) for was in range(60)}:
            if 0 < was < 10:
                assert len({other for other, same in pairs if same == now}) >= 8, text
            if 0 < now < 10:
                assert len({other for same, other in pairs if same == was}) >= 8, text
            if 0 < abs(now - was) < 10:
                assert len({abs(later - before) for before, later in pairs}) >= 8, text
