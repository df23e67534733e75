"""A night's page: what it says, in which order, and what it never says."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from monitoring.explain import explain
from monitoring.records import FeatureLine, NightPage
from monitoring.report import render as rendered
from services.errors import UsageError


def render(page: NightPage) -> str:
    """The page of a night, with the story that it comes to."""
    return rendered(page, explain(page))


def words_of(page: str) -> str:
    """The page's words as a reader has them, on one line."""
    inline = re.sub(r"</?(?:b|i|bdi)(?: [^>]*)?>|</span>", "", page.rpartition("</head>")[2])
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inline)).split())


def first_lines(page: str) -> str:
    """What stands before the numbers; on a calm night the fold that hides them is left out."""
    return words_of(page[page.index("<h1") : page.index("<section>")].partition("<details")[0])


def test_a_quiet_night_is_three_lines(quiet: NightPage) -> None:
    """Which night, that all is well, and how much there was; everything else is folded away, in both languages."""
    page = render(quiet)
    assert first_lines(page) == "All well. 18,120 requests, 4 features moved, nothing to do."
    assert words_of(re.sub(r"<details.*</details>", "", page, flags=re.DOTALL)) == (
        "ronda support_assistant night of Tue 12 May 2026 Owner @assist-team · English "
        "All well. 18,120 requests, 4 features moved, nothing to do. "
        "Written by ronda. Days begin at midnight, America/Sao_Paulo."
    )
    assert first_lines(render(replace(quiet, language="pt"))) == (
        "Tudo em ordem. 18.120 requisições, 4 variáveis mudaram, nada a fazer."
    )


def test_a_changed_night_answers_in_order(changed: NightPage) -> None:
    """What users see, how much, where, since when and after which deployment, can it wait, who does what."""
    page = replace(changed, says="people press thumbs up", critical=("volume", "errors"), places=())
    assert first_lines(render(page)) == (
        "🟠 People press thumbs up less often than usual on Mon 11 May 2026, whose outcome is complete only now "
        "How much 70.5 % → 54.0 % of about 4,000 requests. On none of the last 27 nights was it below 68.2 %. "
        "It happened to about 660 fewer requests than on a usual night. "
        "Where Not known: no parts of the traffic are named in the service file (slices), or they are too small or too new. "
        "Since Mon 11 May, one night so far. model 2026-04-02, prompt refund-reply v18, variant green, commit 9f2c1ab went live on Mon 11 May at 11:05 "
        "(author @ana, approved by @rui) "
        "Can it wait? Yes, until working hours: nothing unusual about the number of requests and errors. "
        "First step @assist-team: hold the new deployment against the one before; if it is the cause, roll it back. "
        "Also “prep_minutes” is missing more often than usual (0.42 % → 10.5 %) "
        "Tue 12 May 2026: 18,120 requests, 4 features moved. This page replaces an earlier one: 34 late requests arrived"
    )


def test_other_first_lines(quiet: NightPage) -> None:
    """Bad data, too short a history, and nothing to go by."""
    bad = replace(quiet, counts={"kept": 9_083, "outside_night": 9_083}, critical=("schema",))
    early = replace(quiet, numbers=tuple(replace(n, usual=None) for n in quiet.numbers))
    empty = replace(quiet, numbers=(), features=())
    assert first_lines(render(bad)) == (
        "⚪ 50 % of the night's rows could not be judged on Tue 12 May 2026 Can it wait? No: what was not judged may hide anything, until the data is mended. "
        "First step @assist-team: find out why rows break the rules: ronda check support_assistant --date 2026-05-12. "
        "Then run the night again. Tue 12 May 2026: 9,083 requests were judged, 4 features moved."
    )
    assert first_lines(render(early)).startswith("Too early to say. 18,120 requests, 4 features moved.")
    assert first_lines(render(empty)) == (
        "No verdict tonight. 18,120 requests. Neither a number nor a feature could be judged."
    )


def test_only_the_worst_three_are_told_first(changed: NightPage, make: Any) -> None:
    """The rest is a number."""
    far = tuple(make.number_line("null_share", 0.5, [0.01, 0.02] * 14, subject=f"f{i}") for i in range(5))
    words = first_lines(render(replace(changed, numbers=far)))
    assert "“f0” is missing more often than usual" in words
    assert "“f3” is missing more often than usual (1.5 % → 50.0 %)" in words
    assert "“f4”" not in words
    assert "and 1 more number" in first_lines(render(replace(changed, numbers=far)))


def test_features_stand_by_how_much_they_moved(changed: NightPage) -> None:
    """Moved, then steady, then those without a verdict, then the calendar; by effect over floor in each."""
    page = render(replace(changed, features=changed.features[::-1]))
    assert re.findall(r"<h3><bdi>(\w+)</bdi>", page) == [
        "prep_minutes", "distance", "city", "weather", "sensor_5", "sensor_4", "sensor_3", "sensor_2", "sensor_1",
        "sensor_0", "app", "courier_score", "weekday", "hour",
    ]  # fmt: skip
    assert "2 calendar features, never judged" in page
    assert "37 checks had too little data · 1 check could not be made · 1 column was left out" in words_of(
        page
    )


def test_a_card_says_what_moved_and_where(changed: NightPage) -> None:
    """Verdict, values, effect, floor, rows, and the five slices that moved most."""
    words = words_of(render(changed))
    assert (
        "prep_minutes moved · 8.3 × its floor 24 → 31.1 min · effect 0.83, floor 0.1 · rows 81,000 → 18,000"
        in words
    )
    assert "city = Recife 14.0 ×\u2002 9,000 → 3,000".replace("\u2002", "") in words.replace("\u2002", "")
    assert "and 2 more slices" in words
    assert "João Pessoa" not in words


def test_rare_categories_are_not_named(changed: NightPage) -> None:
    """A value of fewer than 10 rows on both sides may be a person's: it is among all others."""
    page = render(replace(changed, features=changed.features[2:3]))
    assert "city 0" in page
    assert "Xique-Xique" not in page


def test_a_rare_category_is_not_named_among_few(make: Any, changed: NightPage) -> None:
    """Also where there are places left among the top eight."""
    feature = make.category(
        "city", {"Recife": 500, "Olinda": 9}, {"Recife": 480, "Olinda": 3}, make.finding("city", 0.2)
    )
    words = words_of(render(replace(changed, features=(feature,))))
    assert "Olinda" not in words
    assert "all other values <2.0 % → <2.1 %" in words


def test_small_counts_are_nowhere(changed: NightPage) -> None:
    """Every count that is written: rows by reason, join, deployment, slices. The total that gives them away is gone."""
    few = replace(
        changed,
        rows_read=18_124, counts={"kept": 18_120, "outside_night": 4, "time_missing": 0},
        quarantine={"outside_night": ("r-1", "r-2", "r-3", "r-4")},
        join={"requests": 3_990, "joined": 3_984, "mature": 3_970, "positive": 7},
        deployments=(replace(changed.deployments[0], requests=3),),
    )  # fmt: skip
    words = words_of(render(few))
    assert "18,124" not in words
    assert "kept and judged 18,120 time outside the night <10 no time 0" in words
    assert "Requests 4,000 with feedback <10 fewer with an outcome 4,000 of these positive <10" in words
    assert "since 2026-05-11T14:05+00:00 requests <10" in words
    assert ("r-1" in words, "r-2" in words) == (True, False)


def test_the_share_set_aside_does_not_tell_a_small_count(changed: NightPage) -> None:
    """9.9 % beside 900 kept would be 999 rows, and so 4 outside the night; 10 % does not tell."""
    page = replace(
        changed, rows_read=999, counts={"kept": 900, "request_id_duplicated": 95, "outside_night": 4}
    )
    words = words_of(render(page))
    assert "10 % of the night's rows could not be judged" in words
    assert " 999 " not in words


def test_an_effect_does_not_tell_a_small_count(make: Any, changed: NightPage) -> None:
    """4 of 842 rows missing where none were: neither the share nor the effect says 4."""
    finding = make.finding(
        "x",
        4 / 842,
        0.02,
        measure="null_share",
        unit="share",
        reference_value=0.0,
        current_value=4 / 842,
        rows_current=842,
    )
    feature = FeatureLine("x", "number", "", (), None, None, None, (finding,))
    words = words_of(render(replace(changed, features=(feature,), numbers=())))
    assert "0.0 % → <1.2 %" in words
    assert "effect –, floor 2.0 %" in words
    assert "0.48" not in words
    assert "× its floor" not in words


def test_own_traffic_is_said(changed: NightPage, quiet: NightPage) -> None:
    """Where there is no training set, the page says so in the open, not behind a fold."""
    sentence = "there is no training set here"
    assert sentence in re.sub(r"<details>.*?</details>", "", render(quiet), flags=re.DOTALL)
    assert sentence not in render(changed)


def test_statistics_stand_behind_the_fold(changed: NightPage) -> None:
    """Their names are on the page, but only inside a folded part."""
    page = render(changed)
    names = ("Wasserstein", "Jensen-Shannon", "standard deviations")
    unfolded = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert all(name in page for name in names)
    assert not any(name in unfolded for name in names)


def test_an_unknown_language_is_refused(changed: NightPage) -> None:
    """A clear sentence instead of a half-written page."""
    with pytest.raises(UsageError, match="no text in the language 'de'"):
        render(replace(changed, language="de"))


def test_evidently_is_linked_only_where_there_is_a_harmless_link(changed: NightPage) -> None:
    """No link without a report, and none that runs."""
    assert 'href="2026-05-12.evidently.html"' in render(changed)
    for address in ("", "javascript:alert(1)"):
        assert "Evidently" not in render(replace(changed, snapshot_href=address))


def test_odd_cells_are_told_from_one_percent_on(make: Any, changed: NightPage) -> None:
    """Missing, beyond either end, not a number and infinite are shares of their own."""
    feature = make.numeric(
        "x", "", np.linspace(0, 10, 1000), np.linspace(0, 10, 1000), make.finding("x", 0.2)
    )
    current = feature.current.copy()
    current[0], current[-4], current[-3], current[-1] = 200, 5, 100, 50
    words = words_of(render(replace(changed, features=(replace(feature, current=current),))))
    assert "below 0 0 % → 15 %" in words
    assert "not a number 0 % → 7 %" in words
    assert "infinite 0 % → 4 %" in words
    assert "missing 0 %" not in words


def test_an_empty_page_is_a_page() -> None:
    """Nothing read, nothing known: still a page, no crash, no zero division."""
    page = NightPage(
        "new", "", date(2026, 1, 1), "UTC", 1, "en", 0, {}, {}, (), (), (), {}, "", True, "", ""
    )  # fmt: skip
    words = words_of(render(page))
    assert "No verdict tonight. 0 requests." in words
    assert "No feature is watched." in words
