"""What an incident rests on stands behind the fold, and tells no count of 1 to 9; so do the floors that noise raised."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from monitoring.explain import explain
from monitoring.numbers import line
from monitoring.records import ALL_ROWS, OF, NightPage, Number, NumberLine, Slice
from monitoring.report import render
from page_incidents import NIGHT, incident, key

KEPT = 400
SHARE = 0.02


def shown(page: NightPage) -> str:
    """The page as it is written."""
    return render(page, explain(page))


def words_of(page: str) -> str:
    """The page's words as a reader has them, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def how_sure(page: str) -> str:
    """What stands behind the last fold."""
    return words_of(page[page.index("<h2>How sure?") :])


def test_statistics_of_an_incident_are_behind_how_sure(changed: NightPage) -> None:
    """Against what it moved, how many times its floor and how likely by chance: nowhere else on the page."""
    errors = replace(changed.numbers[3], value=0.041, numerator=743, far=True, parts=((70, 18_000),) * 28)
    page = replace(
        changed,
        numbers=(errors,),
        deployments=(),
        incidents=(
            incident(8, key("errors"), floors=2.04, chance=2e-5),
            incident(5, key("distribution", "distance"), severity="minor", comparison="week", chance=0.2),
            incident(2, key("distribution", "weather"), severity="minor", comparison="ageing"),
            incident(1, key("errors"), back=1),
        ),
    )
    told = how_sure(shown(page))
    assert "5 “distance” its last seven nights are unlike those before 3.1 1 in 20 or more" in told
    assert "8 errors unlike the last nights of its kind 2.0 less than 1 in 1,000" in told
    assert "2 “weather” like the nights before, but its last week has left the reference 1.4" in told
    assert told.index("2 “weather”") < told.index("5 “distance”") < told.index("8 errors")
    assert "1 errors" not in told
    before = words_of(shown(page).partition("<h2>How sure?")[0])
    assert "1 in 20" not in before
    assert "2.0 less" not in before


def test_what_began_with_a_deployment_says_so(changed: NightPage) -> None:
    """The deployment of the day before is named as what to hold it against; nothing else can be since a deployment."""
    page = replace(
        changed,
        incidents=(
            incident(1, key("errors")),
            incident(2, key("distribution", "distance"), seen=3),
            incident(3, key("distribution", "weather"), comparison="ageing"),
        ),
    )
    told = how_sure(shown(page))
    since = "unlike the nights before, since a deployment that began with it"
    assert f"1 errors {since}" in told
    assert told.count(since) == 1


def test_noise_says_by_how_much_on_the_card_and_behind_how_sure(changed: NightPage) -> None:
    """With the incident that was called so where it is known, furthest first; those of numbers have no card."""
    raised = {("distribution", "distance"): 4.3, ("null_share", "prep_minutes"): 6.0, ("cost", ""): 9.0}
    page = replace(changed, raised=raised, noise_of={("distribution", "distance"): 3, ("cost", ""): 12})
    written = shown(page)
    sentences = [
        "cost, noise of incident 12: told only from about 9 times its floor on",
        "missing values of “prep_minutes”, called noise: told only from about 6 times its floor on",
        "“distance”, noise of incident 3: told only from about 5 times its floor on",
    ]
    places = [how_sure(written).index(each) for each in sentences]
    assert places == sorted(places)
    cards = {
        found[1]: words_of(found[0])
        for found in re.finditer(r"<h3><bdi>(\w+)</bdi></h3>.*?</article>", written, re.DOTALL)
    }
    assert "noise of incident 3: told only from about 5 times its floor on" in cards["distance"]
    assert "share of missing values, called noise: told only from about 6" in cards["prep_minutes"]
    assert not any("noise" in cards[name] for name in cards if name not in {"distance", "prep_minutes"})
    assert written == shown(replace(page, raised=dict(reversed(raised.items()))))


def test_noise_is_told_in_portuguese(changed: NightPage) -> None:
    """The same in the other language."""
    page = replace(changed, language="pt", raised={("cost", ""): 9.0}, noise_of={("cost", ""): 12})
    assert "custo, ruído do incidente 12: só se conta a partir de cerca de 9 vezes o seu piso" in words_of(
        shown(page)
    )


def share(name: str, few: int, subject: str = "", *, past: int = 0, tonight: int = 60) -> NumberLine:
    """A share of `tonight` of 400, beside nights of about 20 and one of `few`, or with `few` itself tonight."""
    nights = [20 + n % 3 for n in range(20)] + ([few] if past else [])
    made = [Number(name, subject, n / KEPT, n, KEPT) for n in (*nights, tonight if past else few)]
    days = [NIGHT - timedelta(days=n) for n in range(len(nights), 0, -1)]
    return replace(line(made[-1], "share", list(zip(days, made, strict=False)), NIGHT), far=True)


def plain(page: NightPage, **given: Any) -> NightPage:
    """The night with nothing on it but what is given."""
    bare = {"numbers": (), "features": (), "rows_read": KEPT, "counts": {"kept": KEPT}, "quarantine": {}, "join": {}, "deployments": ()}  # fmt: skip
    return replace(page, **(bare | given))


def gap(make: Any, few: int, part: Slice = ALL_ROWS) -> Any:
    """A feature of which `few` rows are missing tonight, and were none."""
    found = make.finding(
        "x", few / KEPT, SHARE / 10, measure="null_share", unit="share", slice=part,
        reference_value=0.0, current_value=few / KEPT, rows_current=KEPT,
    )  # fmt: skip
    whole = make.category("x", {"a": 500, "b": 500}, {"a": 1, "b": 1}, found)
    return replace(whole, reference=None, current=None)


def floors(few: int) -> float:
    return few / KEPT / SHARE * 4


CASES: dict[str, Callable[[NightPage, Any, int], NightPage]] = {
    "outcomes tonight": lambda page, _, few: plain(
        page, numbers=(share("outcome", few),), incidents=(incident(1, key("outcome"), floors=floors(few), chance=few / 99, up=False),)
    ),
    "errors of a night before": lambda page, _, few: plain(
        page, numbers=(share("errors", few, past=1),), incidents=(incident(1, key("errors"), floors=floors(few), chance=few / 99),)
    ),
    "outcomes in a slice": lambda page, _, few: plain(
        page, numbers=(share("outcome", 12),), places=(replace(share("outcome", few), name="outcome.slice", subject=f"city{OF}Natal"),),
        incidents=(incident(1, key("outcome", "", f"city{OF}Natal"), floors=floors(few), chance=few / 99, up=False),),
    ),
    "missing values": lambda page, make, few: plain(
        page, features=(gap(make, few),), numbers=(share("null_share", few, "x"),),
        incidents=(incident(1, key("null_share", "x"), floors=floors(few), chance=few / 99),),
    ),
    "missing values in a slice": lambda page, make, few: plain(
        page, features=(gap(make, few, Slice("city", "Natal")),),
        incidents=(incident(1, key("null_share", "x", f"city{OF}Natal"), floors=floors(few), chance=few / 99),),
    ),
    "rows of a category": lambda page, make, few: plain(
        page, features=(make.category("x", {"a": 600, "b": 400, "c": 0}, {"a": 250 - few, "b": 150, "c": few}, make.finding("x", few / 50, 0.01, unit="js")),),
        incidents=(incident(1, key("distribution", "x"), floors=floors(few), chance=few / 99, severity="minor"),),
    ),
    "rows that could not be judged": lambda page, _, few: plain(
        page, rows_read=KEPT, counts={"kept": 390 - few, "outside_night": 10 + few},
        incidents=(incident(1, key("schema", "rows"), floors=floors(few)),),
    ),
    "noise of a share": lambda page, make, few: plain(
        page, features=(gap(make, 0),), raised={("null_share", "x"): 1.25 * few / KEPT / SHARE * 10},
    ),
    "noise of errors": lambda page, _, few: plain(
        page, numbers=(share("errors", few, past=1),), raised={("errors", ""): 1.25 * few / KEPT / SHARE}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [name for name in CASES if name != "rows that could not be judged"])
def test_a_small_count_makes_no_other_page(case: str, changed: NightPage, make: Any) -> None:
    """Whether they were 3, 5 or 8: how far and how sure are left out where they would tell."""
    three, five, eight = (CASES[case](changed, make, few) for few in (3, 5, 8))
    assert str(three) != str(eight)
    assert shown(three) == shown(eight)
    assert shown(three) == shown(five)


def test_where_no_number_may_be_told_the_table_has_a_dash(changed: NightPage, make: Any) -> None:
    """Also of rows that were set aside, whose share stands in the first line."""
    few = CASES["errors of a night before"](changed, make, 3)
    assert "1 errors unlike the last nights of its kind – –" in how_sure(shown(few))
    data = CASES["rows that could not be judged"](changed, make, 20)
    assert "1 the data unlike the last nights of its kind – –" in how_sure(shown(data))


def test_chance_is_not_told_beside_a_small_cell(changed: NightPage, make: Any) -> None:
    """Where a cell of 3 is part of it; where none is, it is."""
    few = CASES["rows of a category"](changed, make, 3)
    assert "less than 1 in" not in how_sure(shown(few))
    enough = CASES["rows of a category"](changed, make, 30)
    whole = replace(enough, features=(replace(enough.features[0], reference=np.array([600, 400, 10, 0, 0])),))
    assert re.search(
        r"1 “x” unlike the last nights of its kind [\d.]+ 1 in 20 or more", how_sure(shown(whole))
    )
