"""Whole nights of a service that names a cross: what moved in one cell of it is told of that cell."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from feedback.night import mature
from monitoring.records import OF
from services.window import night_of
from store.incidents import incidents_of
from store.state import reading

CROSS = "city × channel"
NOW = datetime(2026, 5, 20, tzinfo=UTC)


def changed(column: str, to: Callable[[Any], Any], where: Callable[[str, str], bool]) -> Any:
    """Change a column of the requests of some cities and channels."""

    def change(columns: dict[str, Any]) -> None:
        hit = map(where, columns["city"], columns["channel"])
        columns[column] = [
            to(value) if its else value for value, its in zip(columns[column], hit, strict=True)
        ]

    return change


def in_cell(city: str, channel: str) -> bool:
    """One cell of the cross."""
    return (city, channel) == ("Recife", "ios")


def crossed_file(shop: Any) -> str:
    """The shop's service file with a cross."""
    text: str = (shop.root / "services/shop.yaml").read_text()
    return text.replace("slices: [city]", "slices: [city, channel, city*channel]")


def told_in(shop: Any, night: date, feature: str) -> str:
    """The slice of the incident of errors, or of a feature, that was seen on a night."""
    with reading(shop.watch().state) as connection:
        found = [
            each
            for each in incidents_of(connection, "shop")
            if each.last == night and (each.feature == feature if feature else each.measure == "errors")
        ]
    assert len(found) == 1, found
    return found[0].slice


def words_of(shop: Any, row: Any) -> str:
    """The words of a night's page."""
    page = (shop.root / "var/lake" / row.page_path).read_text(encoding="utf-8").partition("<body")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_what_moved_is_told_where_it_moved(crossed: Any) -> None:
    """Errors of one cell are told of the cell, those of a whole city or channel of these, and those of all of all."""
    places: dict[str, Callable[[str, str], bool]] = {
        "cell": in_cell,
        "city": lambda city, _: city == "Recife",
        "channel": lambda _, channel: channel == "ios",
        "all": lambda *_: True,
    }
    told, words = {}, {}
    for name, where in places.items():
        crossed.write_night(crossed.night, changed("status", lambda _: "timeout", where))
        words[name] = words_of(crossed, crossed.run().row)
        told[name] = told_in(crossed, crossed.night, "")
    assert told == {
        "cell": f"{CROSS}\x1fRecife × ios",
        "city": "city\x1fRecife",
        "channel": "channel\x1fios",
        "all": "",
    }
    assert "Where city = Recife, channel = ios" in words["cell"]
    assert "Recife × ios" not in words["cell"]
    assert "Where city = Recife Since" in words["city"]


def test_a_cross_is_measured_as_every_slice_is(crossed: Any) -> None:
    """An input that moved in one cell is told of it; a cell has requests, errors and an outcome, and is no feature."""
    crossed.write_night(crossed.night, changed("price", lambda price: 3 * price, in_cell))
    mature(crossed.watch(), night_of(crossed.night, "UTC"), NOW)
    judged = crossed.run().judged

    assert told_in(crossed, crossed.night, "price") == f"{CROSS}\x1fRecife × ios"
    rows = {
        name: {n.subject: n.denominator or n.value for n in judged.numbers if n.name == f"{name}.slice"}
        for name in ("volume", "errors", "outcome")
    }
    for found in rows.values():
        cells = {
            subject
            for subject in found
            if subject.startswith(f"{CROSS}\x1f") and " × " in subject.partition(OF)[2]
        }
        assert len(cells) == 6
        assert sum(found[cell] for cell in cells) == sum(
            found[f"channel\x1f{each}"] for each in ("ios", "android")
        )
    assert CROSS not in judged.reference.kinds
    assert CROSS not in judged.grids
    assert judged.ignored.get(CROSS) is None


def test_a_reference_from_before_the_cross_does_not_know_it(frozen_shop: Any) -> None:
    """The page says that the cross is not looked at, as of any other slice."""
    frozen_shop.file("services/shop.yaml", crossed_file(frozen_shop))
    found = frozen_shop.run()

    assert found.judged.ignored[CROSS] == "slice_not_in_reference"
    assert re.search(rf"{CROSS} slice not in reference", words_of(frozen_shop, found.row))


def test_a_training_view_need_not_have_the_columns(shop: Any) -> None:
    """Features come from training, and the cells of the cross from the log, on the window and on each of its nights."""
    shop.file("services/shop.yaml", crossed_file(shop) + "training: sql/shop/training.sql\n")
    query = "SELECT request_id, time, price FROM requests WHERE night >= {first_night} AND night <= {last_night}\n"
    shop.file("sql/shop/training.sql", query)
    shop.freeze()
    judged = shop.run().judged

    assert len(judged.reference.slices[CROSS].values) == 6
    counts = judged.reference.profile.counts["status"]
    cells = [n for n, each in enumerate(judged.reference.profile.slices) if each.dimension == CROSS]
    assert counts[cells].sum() == counts[0].sum() > 0


def test_no_cross_of_what_is_personal(shop: Any) -> None:
    """A slice whose values are e-mails is left out, and so is its cross: no file holds one of them."""

    def with_contact(columns: dict[str, Any]) -> None:
        columns["contact"] = [f"ana{n % 9}@example.com" for n in range(len(columns["city"]))]

    for day in shop.tables["requests"]:
        shop.write_night(day, with_contact)
    text = crossed_file(shop).replace("slices: [", "slices: [contact, contact*city, ")
    shop.file("services/shop.yaml", text)
    shop.freeze()
    found = shop.run().judged

    assert set(found.reference.slices) == {"city", "channel", CROSS}
    assert found.reference.ignored["contact × city"] == found.reference.ignored["contact"]
    kept = b"".join(path.read_bytes() for path in (shop.root / "var").rglob("*") if path.is_file())
    assert b"@example" not in kept
