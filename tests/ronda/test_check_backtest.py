"""`ronda check --backtest`: what a person reads of a backtest, whatever users called their features and slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from monitoring.backtest import Backtest, Raised, Sight
from monitoring.delays import Delay
from monitoring.quieter import Beyond, Quieter, Unheld
from monitoring.records import ALL_ROWS, OF, Slice
from ronda.backtest_lines import lines
from ronda.backtested import as_text, nothing_yet

NATAL = Slice("city", "Natal")
PAGE = Raised(
    date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 5), 4, "critical", "errors", "", NATAL, 3.2, up=True
)
MORNING = replace(PAGE, severity="minor", measure="distribution", feature="fare", slice=ALL_ROWS)


def delay(times: int, told: tuple[int | None, ...], **more: Any) -> Delay:
    """Of the errors, over all rows."""
    given = {"measure": "errors", "feature": "", "slice": "", "floor": 0.02, "unit": "share", "pages": True}
    return Delay(times=times, within=7, seen=told, told=told, **(given | more))


FOUND = Backtest(
    service="eta",
    first=date(2026, 2, 1),
    last=date(2026, 3, 17),
    nights=45,
    replays=321,
    raised=(PAGE, MORNING, replace(PAGE, first=date(2026, 3, 9))),
    starts=(date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 5)),
    delays=(
        delay(1, (None, None, None)),
        delay(2, (3, 5, None)),
        delay(4, (1, 1, 1)),
        delay(1, (2, 4, 6), measure="distribution", feature="fare", slice=f"city{OF}Natal", pages=False),
    ),
    sights=(Sight(ALL_ROWS, 12_000, 1.24, 9), Sight(NATAL, 7, None, 9)),
    quieter=(
        Quieter("floors.share", 0.02, 0.35, (date(2026, 3, 2), date(2026, 3, 9))),
        Quieter("features.rules.fare.floor", 0.1, 0.13, (date(2026, 3, 2),)),
    ),
    enough=5,
    beyond=(),
    left=(MORNING,),
    unheld=(Unheld("null_share", "fare", NATAL, 0.02, 0.31, "share"),),
    unheld_in_all=14,
    unheld_of=120,
)


def lines_of(found: Backtest, width: int = 400) -> list[str]:
    """What is shown, each line without what fills it up."""
    return [" ".join(line.split()) for line in as_text(found, width).splitlines()]


def test_a_backtest_for_a_person() -> None:
    """Four paragraphs: each number of the result stands in its place, in words and units that people have."""
    lines = lines_of(FOUND)

    assert lines == [
        "What would have been said",
        "45 nights replayed, 2026-02-01 to 2026-03-17: 2 messages would have been sent. If nothing of it was real, that is 1.3 false pages a month. 1 change of inputs alone would have been told in the morning.",
        "seen what where how far told",
        "2026-03-02 to 2026-03-05, 4 nights errors city = Natal up 3.2 floors critical",
        "2026-03-09 to 2026-03-05, 4 nights errors city = Natal up 3.2 floors critical",
        "2026-03-02 to 2026-03-05, 4 nights fare all requests 3.2 floors morning",
        "",
        "How long a change goes unnoticed",
        "Changes put into the stored nights from 2026-03-01, 2026-03-03, 2026-03-05 on: nights until an incident is open, the middle one of the starts; 1 is the very night.",
        "what where floor 1 floor 2 floors 4 floors",
        "errors all requests 2 points not in 7 5, 2 of 3 1",
        "fare city = Natal 2 points 4, morning cannot be so far cannot be so far",
        "",
        "What can be seen",
        "The smallest change of a feature that three nights of four would show, in floors, the middle one of the features; above 4 a quiet night is inconclusive.",
        "where requests a night smallest visible",
        "all requests 12,000 1.2 floors",
        "city = Natal <10 nothing yet",
        "",
        "Which floors to change",
        "Only if those nights were ordinary: with these floors 1 incident would still have been raised.",
        "in the service file now then silences what began",
        "floors.share 0.02 0.35 2026-03-02, 2026-03-09 hides what is plain now: look at these nights first",
        "features.rules.fare.floor 0.1 0.13 2026-03-02",
        "14 of 120 measures cannot hold their floor: more than four floors may pass unseen. What can be held there is in the last column; or watch fewer slices.",
        "what where floor seen from",
        "nulls of fare city = Natal 2 points 31 points",
        "… and 13 more",
        "Recorded. 321 nights judged in all.",
    ]


def test_a_quiet_one_is_short() -> None:
    """Nothing raised and nothing to change takes a line each, and no table without rows."""
    quiet = replace(
        FOUND, raised=(), delays=(), quieter=(), left=(), unheld=(), unheld_in_all=0, sights=FOUND.sights[:1]
    )
    lines = lines_of(quiet)

    assert lines[1] == "45 nights replayed, 2026-02-01 to 2026-03-17: no message would have been sent."
    assert "None: nothing was raised, and four floors would be seen everywhere." in lines
    assert len(lines) == 11


@pytest.mark.parametrize(
    "name", ["[bold red]boo[/]", "[/]", "a\nb", "\x1b[31mred", "sa\u202egpj", "x" * 5000, ""]
)
def test_names_from_data_are_shown_and_not_obeyed(name: str) -> None:
    """No markup, no control sign and no line of its own comes out of a value of users; a long one is cut."""
    where = Slice("city", name)
    hostile = replace(
        FOUND,
        raised=(replace(PAGE, feature=name, slice=where),),
        delays=(delay(1, (1,), feature=name, slice=f"city{OF}{name}"),),
        sights=(Sight(where, 100, 1.0, 1),),
        unheld=(replace(FOUND.unheld[0], feature=name, slice=where),),
    )
    shown = as_text(hostile, 400)

    assert not {"\x1b", "\u202e", "\x1f"} & set(shown)
    assert "x" * 101 not in shown
    assert len(shown.splitlines()) == len(as_text(replace(hostile, raised=(PAGE,)), 400).splitlines())
    if name.startswith("["):
        assert f"city = {name}" in shown
    if not name:
        assert "city = (empty)" in shown


def test_long_tables_are_cut_and_counted() -> None:
    """Of forty incidents twelve are shown, those with a message first."""
    many = replace(FOUND, raised=(*[MORNING] * 30, *[PAGE] * 10))
    lines = lines_of(many)

    assert sum("critical" in line for line in lines) == 10
    assert sum(line.endswith("3.2 floors morning") for line in lines) == 2
    assert "… and 28 more" in lines


def test_nothing_yet_says_what_comes() -> None:
    """Without history: that there is none, that nothing was recorded, and how the first seven nights are told."""
    said = nothing_yet("eta")

    assert said.startswith("eta: there is no history to replay yet")
    assert "Nothing was recorded. The first seven nights arrive in the morning's message" in said


def test_how_late_an_outcome_is_told_is_said() -> None:
    """Its nights are counted from when it could be told, and the text says how many nights later that is."""
    worse = delay(4, (1, 2, 2), measure="outcome", late=3)
    (said,) = [line for line in lines_of(replace(FOUND, delays=(worse,))) if line.startswith("Changes put")]

    assert said.endswith(
        "The outcome is told 3 nights after its own: of it 1 is the first night on which the change could be told."
    )
    assert "The outcome is told" not in as_text(FOUND)


def test_a_backtest_in_passing() -> None:
    """False pages a month, delays over all rows, what can be seen and floors, in a line each, then where all of it is."""
    assert list(lines(FOUND)) == [
        "  backtest   45 nights replayed, 2026-02-01 to 2026-03-17: 2 messages would have been sent. If nothing of it was real, that is 1.3 false pages a month.",
        "  unnoticed  1 floor: none of 3 told in 7 nights; 2 floors: 5 nights, 2 of 3 told; 4 floors: 1 night, 3 of 3 told",
        "  seen from  1.2 floors over all requests; above 4 floors in 1 of 1 slice",
        "  floors     if those nights were ordinary, floors.share 0.02 to 0.35, features.rules.fare.floor 0.1 to 0.13; 14 of 120 measures cannot hold theirs",
        "  in full    ronda check eta --backtest",
    ]
    bare = replace(FOUND, delays=(), sights=FOUND.sights[:1], quieter=(), unheld_in_all=0)
    assert list(lines(bare))[1:3] == [
        "  seen from  1.2 floors over all requests",
        "  floors     none to raise; 0 of 120 measures cannot hold theirs",
    ]
    hostile = replace(
        FOUND, quieter=(replace(FOUND.quieter[0], setting="features.rules.a\nb\x1b[31m.floor"),)
    )
    assert not {"\n", "\x1b"} & set("".join(lines(hostile)))


def test_what_went_too_far_is_told_as_an_incident() -> None:
    """Its name, slice and night stand where a floor would, in full and in passing, and hostile names stay one line."""
    far = Beyond("volume", "", NATAL, date(2026, 3, 4))
    found = replace(FOUND, quieter=(), beyond=(far,))
    shown = lines_of(found)

    at = shown.index("night what where")
    assert shown[at - 1].startswith("An incident seems to lie in these nights")
    assert shown[at + 1] == "2026-03-04 volume city = Natal"
    assert list(lines(found))[3] == (
        "  floors     none to raise; an incident seems to lie in these nights, volume in city = Natal on 2026-03-04; 14 of 120 measures cannot hold theirs"
    )
    many = replace(found, beyond=(replace(far, slice=Slice("city", "a\nb\x1b[31m")), far, far, far))
    assert not {"\n", "\x1b"} & set("".join(lines(many)))
    assert "on 2026-03-04 and 2 more; 14 of" in list(lines(many))[3]


def test_slices_that_usually_have_too_few_requests_are_not_counted() -> None:
    """What a slice of seven requests cannot show is no news: it is in neither count nor table, and that is said."""
    found = replace(FOUND, enough=100, sights=(*FOUND.sights, Sight(Slice("city", "Recife"), 100, 4.5, 9)))

    assert (
        list(lines(found))[2] == "  seen from  1.2 floors over all requests; above 4 floors in 1 of 1 slice"
    )
    shown = "\n".join(lines_of(found))
    assert "1 slice with fewer than 100 requests on a usual night left out." in shown
    assert "city = Recife 100 4.5 floors" in shown
    assert "city = Natal <10" not in shown
    few = replace(found, sights=(Sight(ALL_ROWS, 9, 8.0, 9),))
    assert list(lines(few))[2] == "  seen from  8.0 floors over all requests"
