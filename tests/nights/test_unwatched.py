"""Services that nobody watches: whatever is wrong with a file, it is told, and hurts no other service."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.text import say
from ronda import rounds, watch_nights
from ronda.nights import index_of
from ronda.roster import services_on_watch
from ronda.unreadable import stand_in
from ronda.watch_nights import watch
from services.errors import ServiceFileError
from services.home import home_from
from services.window import night_of
from store import outbox
from store.lake import open_lake
from store.outbox import MessageRow
from store.state import open_state, reading

NOW = datetime(2026, 5, 23, 12, tzinfo=UTC)
LATE = ["late/shop/2026-05-20", "late/shop/2026-05-21", "late/shop/2026-05-22"]
QUIET: dict[str, list[str]] = {"late": [], "came": [], "unwatched": []}
GONE = "late/shop/never/gone"


def look(now: datetime = NOW) -> dict[str, list[str]]:
    home = home_from()
    return watch(home, open_state(home.state_url), now)


def message(key: str) -> MessageRow:
    home = home_from()
    with reading(open_state(home.state_url)) as connection:
        found = outbox.message_of(connection, key)
    assert found is not None, key
    return found


def words(key: str) -> str:
    return json.dumps(json.loads(message(key).payload), ensure_ascii=False).replace("⁄", "/")


def raising(error: Exception) -> Any:
    """A function that raises, whatever it is given."""

    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", [KeyError("xoxb"), RecursionError(), MemoryError(), UnicodeError("é")])
def test_no_error_of_one_file_hides_the_others(
    frozen_shop: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever reading a file raises, it is broken and nothing more, and its words are not repeated."""
    read = watch_nights.services_on_watch.__globals__["read_service"]
    frozen_shop.file("services/torn.yaml", "slack: '#torn'\n")
    failing = raising(error)
    monkeypatch.setattr(
        "ronda.roster.read_service", lambda name, home: (failing if name == "torn" else read)(name, home)
    )
    services, broken = services_on_watch(home_from())
    assert list(services) == ["shop"]
    assert str(broken["torn"]) == (
        f"{home_from().services / 'torn.yaml'} cannot be read ({type(error).__name__})."
    )
    assert look() == QUIET | {"late": LATE, "unwatched": ["late/torn/2026-05-22/file"]}


@pytest.mark.parametrize("failing", ["shop", "torn", "zoo"])
def test_what_fails_with_one_service_fails_last(
    frozen_shop: Any, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The other services are told first, and then the error is raised, with the name of the service."""
    frozen_shop.file("services/torn.yaml", "slack: '#torn'\n")
    frozen_shop.file("services/zoo.yaml", "owner: nobody\n")  # without a channel, an error of its own
    make = watch_nights._message

    def message_or_error(key: str, *given: Any, **more: Any) -> MessageRow:
        if f"/{failing}/" in key:
            raise UnicodeError("made up")
        return make(key, *given, **more)

    monkeypatch.setattr(watch_nights, "_message", message_or_error)
    expected = ServiceFileError if failing == "zoo" else UnicodeError
    with pytest.raises(expected) as caught:
        look()
    notes = "\n".join(
        [str(caught.value), *caught.value.__notes__] if failing != "zoo" else [str(caught.value)]
    )
    assert "zoo: nobody can be told, since no channel is known" in notes
    assert failing == "zoo" or f"while looking after {failing}" in notes
    monkeypatch.undo()
    frozen_shop.monkeypatch.setenv("RONDA_HOME", str(frozen_shop.root))
    (home_from().services / "zoo.yaml").unlink()
    left = {"shop": {"late": LATE}, "torn": {"unwatched": ["late/torn/2026-05-22/file"]}, "zoo": {}}
    assert look() == QUIET | left[failing]  # all else was told before


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bytes_of(data: bytes) -> Any:
    """A file of these bytes."""
    return lambda path: path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "make", "shown", "channel"),
    [
        (b"caf\xe9.yaml", bytes_of(b'slack: "#cafe"\nz: ['), "caf\\udce9", "#cafe"),
        (b"pipe.yaml", pipe, "pipe", "#everybody"),
        (b"large.yaml", bytes_of(b'slack: "#large"\n' + b"#" * 1_000_000), "large", "#everybody"),
        (b"odd.yaml", bytes_of(b'slack: "#odd"\nuntil: !!bool maybe\n'), "odd", "#odd"),
        (b"half.yaml", bytes_of(b'slack: "#half"\n"\\ud800": 1\n"\\ud800": 2\n'), "half", "#half"),
        (b"nul.yaml", bytes_of(b'slack: "#nul"\nowner: "a\0b"\n'), "nul", "#nul"),
    ],
)
def test_an_odd_file_is_told(frozen_shop: Any, name: bytes, make: Any, shown: str, channel: str) -> None:
    """In the channel that its own text names where there is one; the index of all services is written."""
    home = home_from()
    frozen_shop.file("services/_defaults.yaml", "slack: '#everybody'\n")
    make(home.services / os.fsdecode(name))
    key = f"late/{shown}/2026-05-22/file"
    assert look() == QUIET | {"late": LATE, "unwatched": [key]}
    assert message(key).channel == channel
    assert "ronda: mend the file" in words(key)  # no owner is named, or none that could be stored
    index_of(home, open_state(home.state_url), open_lake(home.lake_url))


@pytest.mark.parametrize(
    "slack",
    [
        *("~", "null", "NULL", "True", "false", "No", "off", "{x: y}", "|", ">", "&a '#ops'", "[a]", "''", "'#two words'"),
        *("", "# a comment", "'#a\0b'", "#" + "x" * 81, "xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx"),
    ],
)  # fmt: skip
def test_what_is_no_channel_is_not_taken_for_one(frozen_shop: Any, slack: str) -> None:
    """Then it goes where the service spoke before, and else to the channel of all."""
    frozen_shop.file("services/torn.yaml", f"slack: {slack}\nsurce: x\n")
    home = home_from()
    assert stand_in("torn", home) is None
    frozen_shop.file("services/_defaults.yaml", f"slack: {slack}\n")
    assert stand_in("torn", home) is None
    frozen_shop.file("services/_defaults.yaml", "slack: '#everybody'\n")
    for before in ("", "#before"):
        found = stand_in("torn", home, before)
        assert found is not None
        assert found.slack == (before or "#everybody")


@pytest.mark.parametrize("slack", ["#ops", "ops", "C0123456789", "#truenorth", "#équipe-a.b_c", "#nullable"])
def test_what_is_a_channel_is_taken(frozen_shop: Any, slack: str) -> None:
    """A name with or without its sign, or an id."""
    frozen_shop.file("services/torn.yaml", f"slack: '{slack}' # ours\r\nsurce: x\n")
    found = stand_in("torn", home_from())
    assert found is not None
    assert found.slack == slack


def test_language_and_mention_are_kept(frozen_shop: Any) -> None:
    """Who wants to be called in Portuguese is; what no message could use is left out."""
    frozen_shop.file("services/_defaults.yaml", "language: pt\nmention: nobody\n")
    text = "slack: '#torn'\nmention: S0614TZR7\nsurce: x\n"
    frozen_shop.file("services/torn.yaml", text)
    look()
    said = words("late/torn/2026-05-22/file")
    assert say("pt", "unwatched.broken") in said
    assert "<!subteam^S0614TZR7>" in said

    frozen_shop.file("services/torn.yaml", text.replace("S0614TZR7", "'@me'") + "language: fr\n")
    found = stand_in("torn", home_from())
    assert found is not None
    assert (found.language, found.mention) == ("pt", "")


def test_a_name_that_no_service_can_have(frozen_shop: Any) -> None:
    """The channel it spoke in before is found under the name that its messages are recorded under."""
    frozen_shop.file("services/Torn Twice.yaml", "slack: '#own'\nz: [")
    assert look()["unwatched"] == ["late/Torn Twice/2026-05-22/file"]
    frozen_shop.file("services/_defaults.yaml", "slack: '#everybody'\n")
    for days, text, channel in (
        (1, "z: [", "#own"),
        (2, "slack: '#other'\nz: [", "#other"),
        (3, "z: [", "#other"),
    ):
        frozen_shop.file("services/Torn Twice.yaml", text)
        key = f"late/Torn Twice/2026-05-{22 + days}/file"
        assert look(NOW + timedelta(days=days))["unwatched"] == [key]
        assert message(key).channel == channel


def test_gone_without_a_channel_is_no_error(frozen_shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It may have been taken away on purpose: the log says it, and the watch goes on without failing for ever."""
    (frozen_shop.root / "services/shop.yaml").unlink()
    for days in range(2):
        assert look(NOW + timedelta(days=days)) == QUIET
        printed = capsys.readouterr()
        assert printed.err.startswith("shop: nobody can be told, since no channel is known.")
        assert printed.out == ""
    frozen_shop.file("services/torn.yaml", "surce: x\n")
    with pytest.raises(ServiceFileError, match="torn: nobody can be told") as caught:
        look()
    assert "shop" not in str(caught.value).replace(str(frozen_shop.root), "")


@pytest.fixture
def file_of(frozen_shop: Any) -> Any:
    """Put the shop's file there, or take it away."""
    path = frozen_shop.root / "services/shop.yaml"
    text = path.read_text(encoding="utf-8")
    return lambda there: path.write_text(text, encoding="utf-8") if there else path.unlink()


def test_gone_and_back_and_gone_again(frozen_shop: Any, file_of: Any) -> None:
    """Each time it goes it is told, and each time it comes back that is answered, though no night was judged."""
    look()
    hours = iter(range(1, 100))

    def at_next(there: bool) -> dict[str, list[str]]:
        file_of(there)
        found, again = look(NOW + timedelta(minutes=next(hours))), look(NOW + timedelta(minutes=next(hours)))
        assert again == QUIET
        return found

    assert at_next(there=False) == QUIET | {"unwatched": [GONE]}
    assert at_next(there=True) == QUIET | {"came": [f"{GONE}/back"]}
    assert at_next(there=False) == QUIET | {"unwatched": [f"{GONE}/2"]}
    assert at_next(there=True) == QUIET | {"came": [f"{GONE}/2/back"]}
    row = message(f"{GONE}/2/back")
    assert (row.action, row.about, row.channel) == ("reply", f"{GONE}/2", "#shop")
    assert say("en", "unwatched.back") in words(row.key)

    frozen_shop.write_night(date(2026, 5, 20))
    rounds.judge(frozen_shop.watch(), night_of(date(2026, 5, 20), "UTC"), lambda: NOW)
    look()
    assert at_next(there=False) == QUIET | {"unwatched": ["late/shop/2026-05-20/gone"]}
