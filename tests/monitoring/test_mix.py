"""A share that moved because other requests came is told apart from one that moved within its slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean, pstdev

from hypothesis import assume, given
from hypothesis import strategies as st

from monitoring.explain import explain
from monitoring.mix import mix
from monitoring.records import OF, NightPage, NumberLine, Slice
from monitoring.telling import tell

NIGHT, NIGHTS = date(2026, 5, 11), 10


def lines(usually: list[tuple[int, float]], tonight: list[tuple[int, float]]) -> list[NumberLine]:
    """The whole, and a slice each: requests and the share of them that is bad, usually and tonight."""
    whole = [(sum(n for n, _ in side), sum(n * p for n, p in side)) for side in (usually, tonight)]
    lead = _line("outcome", "thumbs down", whole[0], whole[1])
    own = [
        _line("outcome.slice", f"city{OF}c{at}", (was[0], was[0] * was[1]), (now[0], now[0] * now[1]))
        for at, (was, now) in enumerate(zip(usually, tonight, strict=True))
    ]
    return [lead, *own]


def _line(name: str, subject: str, before: tuple[int, float], now: tuple[int, float]) -> NumberLine:
    parts = tuple((round(before[1]) + at % 2, before[0]) for at in range(NIGHTS))
    shares = [part / whole for part, whole in parts]
    return NumberLine(
        name=name,
        subject=subject,
        value=now[1] / now[0],
        numerator=round(now[1]),
        denominator=now[0],
        format="share",
        history=tuple((NIGHT - timedelta(days=NIGHTS - at), share) for at, share in enumerate(shares)),
        usual=(fmean(shares), pstdev(shares)),
        of_night=NIGHT,
        parts=parts,
    )


def test_more_of_what_was_always_worse_is_a_change_of_the_mix() -> None:
    """The share doubles although each city is as good as ever: the city that grew is named, with its part of the whole."""
    lead, *own = lines([(900, 0.1), (100, 0.5)], [(500, 0.1), (500, 0.5)])
    found = mix(lead, own)
    assert found is not None
    assert (found.kind, found.most[0].slice) == ("mix", Slice("city", "c1"))
    assert found.most[0].line.value == 0.5
    assert found.most[0].line.usual is not None
    assert found.most[0].line.usual[0] == 0.1


def crossed(tonight: dict[tuple[str, str], int]) -> list[NumberLine]:
    """The whole, then two cities, two apps and their cells: as bad as ever each, with so many requests tonight."""
    cells = {(city, app): 400 for city in ("Recife", "Natal") for app in ("ios", "web")}
    bad = dict.fromkeys(cells, 0.1) | {("Recife", "ios"): 0.5, ("Recife", "web"): 0.3}
    groups = {
        "": [*cells],
        f"city{OF}Recife": [cell for cell in cells if cell[0] == "Recife"],
        f"city{OF}Natal": [cell for cell in cells if cell[0] == "Natal"],
        f"app{OF}ios": [cell for cell in cells if cell[1] == "ios"],
        f"app{OF}web": [cell for cell in cells if cell[1] == "web"],
        **{f"city × app{OF}{' × '.join(cell)}": [cell] for cell in cells},
    }
    return [
        _line(
            "outcome.slice" if subject else "outcome",
            subject or "thumbs down",
            *(
                (sum(n[cell] for cell in own), sum(n[cell] * bad[cell] for cell in own))
                for n in (cells, cells | tonight)
            ),
        )
        for subject, own in groups.items()
    ]


def test_a_city_that_grew_is_told_and_not_its_cells() -> None:
    """The cells of a city that grew tell the same mix: then the city is what people know."""
    lead, *own = crossed({("Recife", "ios"): 1700, ("Recife", "web"): 1500})
    found = mix(lead, own)
    assert found is not None
    assert {each.slice for each in found.most} == {Slice("city", "Recife"), Slice("city", "Natal")}


def test_a_cell_that_grew_is_told() -> None:
    """Its city tells more than half of the change, and the cell all of it."""
    lead, *own = crossed({("Recife", "ios"): 1600})
    found = mix(lead, own)
    assert found is not None
    assert found.most[0].slice == Slice("city × app", "Recife × ios")


def test_a_change_within_a_slice_is_none_of_the_mix() -> None:
    """The same doubling, in one city, with as many requests from each as always."""
    lead, *own = lines([(900, 0.1), (100, 0.5)], [(900, 0.25), (100, 0.5)])
    assert mix(lead, own) is None


def test_a_new_value_cannot_be_weighed() -> None:
    """Without a past of its own nobody knows what is usual of it."""
    lead, *own = lines([(900, 0.1), (100, 0.5)], [(500, 0.1), (500, 0.5)])
    assert mix(lead, [own[0], replace(own[1], usual=None)]) is None


_SIDE = st.lists(st.tuples(st.integers(50, 5000), st.floats(0.05, 0.95)), min_size=2, max_size=5)


@given(_SIDE, st.lists(st.integers(50, 5000), min_size=5, max_size=5))
def test_requests_alone_are_always_the_mix(usually: list[tuple[int, float]], now: list[int]) -> None:
    """Whatever comes, if no slice moved and the whole did, it is told as other requests."""
    tonight = [(rows, share) for rows, (_, share) in zip(now, usually, strict=False)]
    lead, *own = lines(usually, tonight)
    assume(lead.value is not None and lead.usual is not None and abs(lead.value - lead.usual[0]) > 0.02)
    assert mix(lead, own) is not None


def test_it_is_told_in_words(changed: NightPage) -> None:
    """Where says that others came, and the first step does not look for a fault of the model."""
    lead, *own = lines([(900, 0.1), (100, 0.5)], [(500, 0.1), (500, 0.5)])
    page = replace(changed, numbers=(lead,), places=tuple(own))
    told = tell(page, explain(page))
    assert told.where.startswith("Other requests came: city = c1 (10 % → 50 %)".replace(" %", "\xa0%"))
    assert "why other requests came" in told.do
