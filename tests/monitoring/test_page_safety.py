"""Nothing in a page can do harm: hostile names, outside addresses, size, sideways scrolling."""

from __future__ import annotations

import dataclasses
import html
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.records import ALL_ROWS, OF, NightPage, Slice
from monitoring.report import render as rendered
from monitoring.verdicts.incidents import Key
from page_incidents import incident, key, muted, taken


def render(page: NightPage) -> str:
    """The page of a night, with the story that it comes to."""
    return rendered(page, explain(page))


TAGS = set(
    re.findall(
        r"\w+",
        "html head meta title link style body header main footer section article details summary div span p b i bdi "
        "small code a h1 h2 h3 ul li dl dt dd table tr th td svg path rect circle",
    )
)
ATTRIBUTES = set(
    re.findall(
        r"[\w-]+",
        "lang charset http-equiv content name rel href class viewbox preserveaspectratio aria-hidden d width height "
        "x y cx cy r",
    )
)
PAYLOADS = (
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onmouseover="alert(1)', "'; DROP TABLE x; --",
    "{{ 7 * 7 }}", "{n.__class__}", "\u202egnp.exe\u2066", "👩\u200d💻🇧🇷", "y" * 10_000, "</style><style>*{display:none}", "\x00\ud800", "<!--",
)  # fmt: skip


class Seen(HTMLParser):
    """Tags, attributes and text of a page, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def poisoned_place(value: Slice | Key, payload: str) -> Slice | Key:
    """A part of the traffic, or what is watched in it, with the payload in every name."""
    if isinstance(value, Slice):
        return ALL_ROWS if value == ALL_ROWS else Slice(payload, payload)
    return Key(value.measure, payload, f"{payload}{OF}{payload}" if value.slice else "")


def poison(value: Any, payload: str) -> Any:
    """The same record with the payload in every string a user can choose."""
    if isinstance(value, str):
        return value if value in {"kept", ""} else payload
    if isinstance(value, (Slice, Key)):
        return poisoned_place(value, payload)
    if isinstance(value, (tuple, frozenset)):
        return (frozenset if isinstance(value, frozenset) else tuple)(poison(item, payload) for item in value)
    if isinstance(value, Mapping):
        return {
            poison(key, payload + str(n)): poison(item, payload)
            for n, (key, item) in enumerate(value.items())
        }
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    fixed = {
        "language",
        "verdict",
        "kind",
        "format",
        "direction",
        "time",
        "state",
        "severity",
        "what",
        "comparison",
    }
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in fixed}
    return replace(value, **{name: poison(found, payload) for name, found in fields.items()})


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_user_text_stays_text(changed: NightPage, payload: str) -> None:
    """Whatever stands in a name, a value, an id or a reason: no new tag, attribute, link or direction mark."""
    page = render(poison(changed, payload))
    seen = Seen(page)
    assert seen.tags <= TAGS
    assert set(seen.attributes) <= ATTRIBUTES
    assert not any("script:" in address for address in seen.attributes["href"])
    assert page.count("<style>") == 1
    assert "<!--" not in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)
    assert len(page.encode("utf-8")) < 200_000


def with_incidents(page: NightPage) -> NightPage:
    """The night with incidents of every kind, floors that noise raised, and a planned change."""
    lines = (
        taken(
            7, key("outcome", "", f"city{OF}Recife"), key("null_share", "city"), severity="critical", up=False
        ),
        incident(8, key("guard", "orders"), key("distribution", "city")),
        incident(9, key("distribution", "distance", f"city{OF}Recife"), severity="minor"),
        muted(4, key("cost"), page.night),
    )
    pair = "null_share", "prep_minutes"
    planned = {key("volume"): "Black Friday"}
    return replace(page, incidents=lines, raised={pair: 5.0}, noise_of={pair: 3}, planned=planned)


def poisoned_incidents(page: NightPage, payload: str) -> NightPage:
    """The same with the payload everywhere but in the zone and the times, which no page is made without."""
    told = poison(with_incidents(page), payload)
    served = tuple(replace(each, started_at=page.deployments[0].started_at) for each in told.deployments)
    return replace(told, time_zone=page.time_zone, deployments=served)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_incidents_stay_text(changed: NightPage, payload: str) -> None:
    """Whoever took one, whatever it is about, wherever it is: no new tag, attribute or direction mark."""
    page = render(poisoned_incidents(changed, payload))
    seen = Seen(page)
    assert {"incident 7", "incident 8", "incident 9", "incident 4"} <= set(
        re.findall(r"incident \d", seen.text)
    )
    assert seen.tags <= TAGS
    assert set(seen.attributes) <= ATTRIBUTES
    assert "<!--" not in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)
    assert len(page.encode("utf-8")) < 200_000


def test_the_payload_was_there(changed: NightPage) -> None:
    """The test above would pass on a page that shows nothing: here the hostile name is readable as text."""
    assert Seen(render(poison(changed, "<b>&{{1}}"))).text.count("<b>&{{1}}") > 50


def test_every_string_field_is_poisoned(changed: NightPage) -> None:
    """Guards the guard: a new field of the records reaches the poison, too."""
    poisoned = poison(changed, "@@")
    assert (poisoned.service, poisoned.reference, poisoned.changed) == ("@@", "@@", "@@")
    assert poisoned.features[0].labels[0] == "@@"
    assert poisoned.features[0].findings[2].slice == Slice("@@", "@@")
    assert poisoned.deployments[0].author == "@@"
    assert next(iter(poisoned.quarantine)).startswith("@@")


def test_the_page_loads_and_runs_nothing(changed: NightPage) -> None:
    """One file: a strict policy, no script, no outside address."""
    page = render(changed)
    seen = Seen(page)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html.unescape(page)
    assert {"script", "iframe", "object", "embed", "img", "form"} & seen.tags == set()
    assert seen.attributes["href"] == {"data:,", "../index.html", "2026-05-12.evidently.html"}
    assert "url(" not in page
    assert "@import" not in page


def test_the_same_night_gives_the_same_bytes(changed: NightPage) -> None:
    """Also when the records come in another order."""
    shuffled = replace(changed, features=changed.features[::-1], numbers=changed.numbers[::-1])
    assert render(changed) == render(changed) == render(shuffled)


def test_a_hundred_features_and_sixty_slices_stay_under_a_megabyte(changed: NightPage, make: Any) -> None:
    """All of them moved, in every slice."""
    base = {"number": changed.features[0], "category": changed.features[2]}
    slices = tuple(Slice("city", f"a city with a long name {i}") for i in range(60))
    features = tuple(
        replace(
            base["category" if n % 2 else "number"], name=f"feature_{n}",
            findings=tuple(make.finding(f"feature_{n}", 0.5, slice=where) for where in (ALL_ROWS, *slices)),
        )
        for n in range(100)
    )  # fmt: skip
    nulls = tuple(
        make.number_line("null_share", 0.2, [0.1, 0.11] * 14, subject=f"feature_{n}") for n in range(100)
    )
    size = len(render(replace(changed, features=features, numbers=changed.numbers + nulls)).encode())
    assert size < 1_000_000


def width_at_390(page: str, folder: Path) -> int:
    """How wide the page's content is in a frame of 390 pixels, measured by Chromium with every fold open."""
    frame = html.escape(page.replace("<details>", "<details open>"), quote=True)
    wrapper = folder / "wrapper.html"
    wrapper.write_text(
        f'<!doctype html><iframe style="width:390px;height:800px;border:0" srcdoc="{frame}"></iframe><script>'
        "onload=()=>{document.title='W'+frames[0].document.documentElement.scrollWidth}</script>",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri()],
        capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip
    measured = re.search(r"<title>W(\d+)</title>", done.stdout)
    assert measured, done.stdout[:500]
    return int(measured.group(1))


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("payload", ["", "W" * 10_000], ids=["plain", "long names"])
def test_a_phone_needs_no_sideways_scrolling(changed: NightPage, tmp_path: Path, payload: str) -> None:
    """390 pixels suffice, however long the names are."""
    page = poisoned_incidents(changed, payload) if payload else with_incidents(changed)
    assert width_at_390(render(page), tmp_path) == 390
