"""Where an incident is, when columns and their crosses overlap: the cell if it moved alone, else what holds it."""

from __future__ import annotations

import pytest

from monitoring.verdicts.incidents import Key, Moved, groups, where

SHARES = {
    "": 1.0, "city\x1fRecife": 0.35, "city\x1fNatal": 0.65, "app\x1fios": 0.5,
    "city × app\x1fRecife × ios": 0.2, "city × app\x1fRecife × web": 0.15, "city × app\x1fNatal × ios": 0.3,
}  # fmt: skip


def night(**floors: float) -> list[Moved]:
    """What moved: shortened names of slices (`all`, `Recife`, `Recife_ios`), and by how many floors."""
    found = []
    for place, share in SHARES.items():
        name = place.partition("\x1f")[2].replace(" × ", "_") or "all"
        if name in floors:
            key = Key("errors", "", place)
            found.append(Moved(key, "tonight", floors[name], 1e-9, floors.get("all", 0.0), share, 1e-9))
    return found


@pytest.mark.parametrize(
    ("floors", "told"),
    [
        # one cell: each slice that holds it moved by its part of it
        ({"Recife_ios": 20.0, "Recife": 11.4, "ios": 8.0, "all": 4.0}, "Recife_ios"),
        ({"Recife_ios": 20.0, "Recife": 11.4, "ios": 8.0}, "Recife_ios"),
        ({"Recife_ios": 5.0, "Recife": 2.9}, "Recife_ios"),
        # all of a city: its cells moved as far, by chance one of them further
        ({"Recife": 20.0, "Recife_ios": 20.0, "Recife_web": 20.0, "all": 7.0}, "Recife"),
        ({"Recife": 20.0, "Recife_ios": 23.0, "Recife_web": 16.0, "all": 7.0, "ios": 8.0}, "Recife"),
        ({"Recife": 4.0, "Recife_ios": 6.5}, "Recife_ios"),
        ({"Recife": 4.0, "Recife_ios": 5.2}, "Recife"),
        # all of an app, and everything
        ({"ios": 20.0, "Recife_ios": 21.0, "Natal_ios": 19.5, "Recife": 11.0, "Natal": 9.0, "all": 10.0}, "ios"),
        ({"ios": 20.0, "Recife_ios": 21.0, "Natal_ios": 19.5, "Recife": 20.0, "Natal": 20.0, "all": 20.0}, "all"),
    ],
)  # fmt: skip
def test_the_cell_or_what_holds_it(floors: dict[str, float], told: str) -> None:
    """A cell is named if the rest of each slice that holds it hardly moved."""
    moved = night(**floors)
    for order in (moved, moved[::-1]):
        assert (where(order).key.slice.partition("\x1f")[2].replace(" × ", "_") or "all") == told


def test_a_tie_goes_to_the_column() -> None:
    """A cell that is all of its city is told as the city."""
    city, cell = night(Recife=9.0, Recife_ios=9.0)
    for floors in (9.0, 9.1):
        same = Moved(cell.key, "tonight", floors, 1e-9, 0.0, city.share, 1e-9)
        assert where([same, city]) == city
        assert where([city, same]) == city


def test_a_large_city_is_told_though_one_of_its_cells_moved_more() -> None:
    """By the gain alone its half would be named; but the rest of the city moved, too."""

    def moved(place: str, floors: float, share: float) -> Moved:
        return Moved(Key("errors", "", place), "tonight", floors, 1e-9, 8.0, share, 1e-9)

    large, half = moved("city\x1fRecife", 10.0, 0.8), moved("city × app\x1fRecife × ios", 13.2, 0.4)
    assert where([moved("", 8.0, 1.0), half, large]) == large


def test_three_columns() -> None:
    """From a cell of three the walk goes up only as far as it must."""

    def moved(place: str, floors: float, share: float) -> Moved:
        return Moved(Key("errors", "", place), "tonight", floors, 1e-9, 0.0, share, 1e-9)

    one, two = moved("a\x1f1", 4.0, 0.5), moved("a × b\x1f1 × 2", 20.0, 0.1)
    three = moved("a × b × c\x1f1 × 2 × 3", 20.5, 0.05)
    assert where([one, two, three]) == two
    alone = moved("a × b × c\x1f1 × 2 × 3", 39.0, 0.05)
    assert where([one, two, alone]) == alone


def test_features_of_one_cell_are_one_cause() -> None:
    """Two features that moved in one cell are one incident, though each also moved a little in its city."""
    cell, city = "city × app\x1fRecife × ios", "city\x1fRecife"
    found = [
        Moved(Key("distribution", feature, place), "tonight", floors, 1e-9, 0.0, SHARES[place], 1e-9)
        for feature in ("age", "price")
        for place, floors in ((cell, 8.0), (city, 4.5))
    ]
    assert [len(group) for group in groups(found)] == [4]
