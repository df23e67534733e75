"""Crosses in a service file: how they may be written, and what is said of one that cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.errors import ServiceFileError
from services.home import Home
from services.model import as_plain
from services.read import read_service
from services.slices import is_within, pairs

Write = Callable[..., None]


@pytest.mark.parametrize(
    "cross", ["origin*carrier", "origin * carrier", "origin × carrier", "origin×carrier"]
)
def test_a_cross_has_one_name_however_written(home: Home, write: Write, cross: str) -> None:
    """Its name has no sign that a channel would show as bold; what is hashed of the file is the same, too."""
    write(add=f"slices: [origin, carrier, {cross}]\n")
    service = read_service("eta", home)
    assert service.slices == ("origin", "carrier", "origin × carrier")
    assert as_plain(service)["slices"] == ["origin", "carrier", "origin × carrier"]


def test_a_cross_of_three(home: Home, write: Write) -> None:
    """Three columns can be crossed, and a cross may stand before its parts; a column alone is as it was written."""
    write(add='slices: ["a b*c*d", "a b", c, d]\n')
    assert read_service("eta", home).slices == ("a b × c × d", "a b", "c", "d")


@pytest.mark.parametrize(
    ("slices", "said"),
    [
        ("[origin, origin*carrier]", "the cross 'origin × carrier' is of carrier, which is no entry of its own; add carrier"),
        ("[a*b]", "the cross 'a × b' is of a and b, which are no entries of their own; add a and b to the list"),
        ("[a, b, a*b, b*a]", "the cross 'b × a' is there already as 'a × b'; take one of them out"),
        ("[a, b, a*b, a × b]", "the cross 'a × b' is there already as 'a × b'"),
        ("[a, a*a]", "the cross 'a × a' has a twice; name each column once"),
        ("[a, b, c, d, a*b*c*d]", "has 4 parts; a cross is of two or three columns"),
        ("[a, a*]", "the cross 'a × ' has an empty part; write one as origin*carrier"),
        ("[a, 'b**c', b, c]", "has an empty part"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_cross(home: Home, write: Write, slices: str, said: str) -> None:
    """The sentence names the file, the key, the cross, and what to do."""
    write(add=f"slices: {slices}\n")
    with pytest.raises(ServiceFileError) as refused:
        read_service("eta", home)
    assert str(refused.value).startswith(f"{home.services / 'eta.yaml'}: `slices`: ")
    assert said in str(refused.value)


def test_all_crosses_that_are_wrong_are_said(home: Home, write: Write) -> None:
    """Each has its own words, in one line."""
    write(add="slices: [a, a*a, a*b]\n")
    with pytest.raises(ServiceFileError, match=r"'a × a' has a twice.*; the cross 'a × b' is of b,"):
        read_service("eta", home)


def test_a_cell_and_what_it_is_part_of() -> None:
    """A cell is within slices of its own columns and values; `other` of a cross is no cell, and nothing holds itself."""
    cell = ("a × b × c", "1 × 2 × 3")
    assert [is_within(cell, each) for each in [("a", "1"), ("a × c", "1 × 3"), ("c × a", "3 × 1")]] == [
        True
    ] * 3
    assert not any(
        is_within(cell, each) for each in [("a", "2"), ("d", "1"), cell, ("a × b", "other"), ("", "")]
    )
    assert not is_within(("a", "1"), ("a × b", "1 × 2"))
    assert not is_within(("a × b", "other"), ("a", "other"))
    assert is_within(("size × b", "3x4 × 2"), ("size", "3×4"))
    assert pairs("a", "1 × 2") == [("a", "1 × 2")]
