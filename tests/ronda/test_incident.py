"""`ronda incident`: what it lists and shows, what it lets people say, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.answers import answer
from ronda import cli, incident
from services.home import home_from
from services.read import read_service
from store.incidents import AnswerRow, answers_of
from store.state import State, open_state, reading, writing
from told_incidents import judge, morning_after, moved, night_after, said, service, tell

ITS = service(critical=["errors"])
FILE = """\
service: shop
owner: "@shop-team"
slack: "#shop"
source: log
requests: sql/shop/requests.sql
critical: [errors]
"""
UNTIL = night_after(20).isoformat()
Ronda = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A home with a night on which errors moved, told; and the next, on which an input did, not told."""
    for path, text in (("services/shop.yaml", FILE), ("sql/shop/requests.sql", "SELECT 1\n")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.setenv("RONDA_HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "ana")
    monkeypatch.setattr(cli, "clock", lambda: morning_after(1))
    opened = open_state(home_from().state_url)
    judge(opened, ITS, 0, moved(floors=4.0))
    tell(opened, ITS, 1)
    judge(opened, ITS, 1, moved("distribution", 9.0, "price"))
    return opened


@pytest.fixture
def ronda(state: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ronda:
    """The command, on that home; gives its exit code, standard output and standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ronda", "incident", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        given = capsys.readouterr()
        return int(ended.value.code or 0), given.out, given.err

    return call


def kept(state: State) -> list[AnswerRow]:
    with reading(state) as connection:
        return answers_of(connection, "shop")


def test_incidents_are_listed(state: State, ronda: Ronda) -> None:
    """Open ones first, each with what it is, since when, on how many nights, and who looks after it."""
    assert ronda("shop", "1", "--ack", "--by", "bruno")[0] == 0
    code, out, wrong = ronda("shop")
    assert (code, wrong) == (0, "")
    head, names, second, first, precision = out.splitlines()
    assert head == "shop: 2 open of 2."
    assert names.split() == ["#", "state", "severity", "since", "nights", "taken", "by", "what"]
    assert first.split(maxsplit=6) == [
        *("1", "acknowledged", "critical", "2026-05-10", "1", "bruno"),
        "half of all requests failed",
    ]
    assert second.split(maxsplit=6)[-1] == "distribution “price” moved"
    assert precision == "Precision: nobody said of any whether it was real; 1 not answered."
    for days in (2, 3, 4):
        judge(state, ITS, days, moved(floors=4.0))
    assert [line.split()[:2] for line in ronda("shop")[1].splitlines()[2:4]] == [
        ["1", "acknowledged"],
        ["2", "resolved"],
    ]


def test_precision_is_shown(state: State, ronda: Ronda) -> None:
    """The real ones of those called real or noise, by what was said last; taking one is no answer."""
    assert json.loads(ronda("shop", "--json")[1])["precision"]["precision"] is None
    ronda("shop", "1", "--ack")
    ronda("shop", "2", "--noise")
    ronda("shop", "1", "--real")
    assert "Precision: 1 of 2 real (50 %); 0 not answered." in ronda("shop")[1]
    later = morning_after(1) + timedelta(minutes=1)
    with writing(state) as connection:
        answer(connection, read_service("shop", home_from()), said("noise", 0, at=later))
    found = json.loads(ronda("shop", "--json")[1])
    assert found["precision"] == {
        "real": 0,
        "noise": 2,
        "expected": 0,
        "not_answered": 0,
        "precision": 0.0,
    }


def test_one_is_shown_with_its_history(ronda: Ronda) -> None:
    """Its nights, what was said, its thread, and the floors that noise raised."""
    code, out, _ = ronda("shop", "1", "--noise")
    assert code == 0
    shown = out[out.index("shop, incident 1") :]
    assert shown.splitlines() == [
        "shop, incident 1: half of all requests failed",
        "  state     resolved, critical",
        "  seen      on 1 night: 2026-05-10",
        "  opened    2026-05-10",
        "  ended     2026-05-12",
        "  said      2026-05-12 09:00 UTC  noise, by ana (command)",
        "  thread    in #team, sent, 1 answer",
        "  raised    errors from about 5 times its floor on",
    ]
    made = json.loads(ronda("shop", "1", "--json")[1])
    assert (made["state"], made["verdict"], made["seen"]) == ("resolved", "noise", ["2026-05-10"])
    assert made["raised"] == [{"measure": "errors", "feature": "", "floors": 5.0}]
    assert [each["what"] for each in made["answers"]] == ["noise"]
    assert {each["state"] for each in made["thread"]} == {"sent", "written"}


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (["--ack"], ("taken", "ana", None, "")),
        (["--real", "--by", " Ana Lima "], ("real", "Ana Lima", None, "")),
        (["--noise"], ("noise", "ana", None, "")),
        (["--resolve"], ("resolved", "ana", None, "")),
        (["--expected", UNTIL], ("expected", "ana", night_after(20), "")),
        (["--mute", UNTIL, "--reason", "the sale"], ("muted", "ana", night_after(20), "the sale")),
    ],
)
def test_what_is_said_is_kept_once(
    state: State, ronda: Ronda, words: list[str], row: tuple[Any, ...]
) -> None:
    """With who said it; the same again on that day changes nothing and says so."""
    assert ronda("shop", "1", *words)[0] == 0
    code, out, _ = ronda("shop", "1", *words)
    assert code == 0
    assert "said so before; nothing was changed." in out
    assert [(each.what, each.by, each.until, each.reason) for each in kept(state)] == [row]
    assert kept(state)[0].source == "command"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--ack"], "Say which incident"),
        (["1", "--ack", "--noise"], "Say one thing at a time"),
        (["1", "--mute", UNTIL], "Say why it is muted"),
        (["1", "--mute", UNTIL, "--reason", " "], "Say why it is muted"),
        (["1", "--mute", UNTIL, "--reason", "x" * 301], "say it in 300"),
        (["1", "--ack", "--reason", "x"], "--reason belongs to --mute"),
        (["1", "--by", "ana"], "--by names who says something"),
        (["1", "--ack", "--by", "x" * 65], "a name has at most 64"),
        (["1", "--mute", "2026-05-11", "--reason", "x"], "Give one from 2026-05-12 to 2026-08-12"),
        (["1", "--expected", "2026-08-13"], "Give one from 2026-05-12 to 2026-08-12"),
        (["--undo"], "Say which incident"),
        (["1", "--undo"], "nothing was said of it by command"),
        (["1", "--undo", "--noise"], "Say one thing at a time"),
        (["9", "--undo"], "shop has no incident 9. Open: 1 (errors"),
        (["9"], "shop has no incident 9. Open: 2, 1."),
        (["9", "--ack"], "shop has no incident 9. Open: 1 (errors"),
        (["99999999999999999999", "--real"], "shop has no incident 99999999999999999999."),
    ],
)
def test_what_cannot_be_said_is_refused(state: State, ronda: Ronda, words: list[str], why: str) -> None:
    """With what would do, the exit code of a wrong call, and nothing kept."""
    code, out, wrong = ronda("shop", *words)
    assert (code, out) == (2, "")
    assert why in wrong
    assert kept(state) == []


def test_what_was_said_is_taken_back(state: State, ronda: Ronda) -> None:
    """By whom and when is shown, the incident stands as before, and sent again the command changes nothing."""
    before = ronda("shop", "1", "--json")[1]
    ronda("shop", "1", "--noise")
    code, out, wrong = ronda("shop", "1", "--undo", "--by", "bruno")
    assert (code, wrong) == (0, "")
    assert out.startswith("“noise”, said by ana at 2026-05-12 09:00 UTC, is taken back.\n")
    assert "  state     open, critical" in out.splitlines()
    shown = "2026-05-12 09:00 UTC  noise, by ana (command); taken back by bruno at 2026-05-12 09:00 UTC"
    assert f"  back      {shown}" in out.splitlines()
    made = json.loads(ronda("shop", "1", "--json")[1])
    [back] = made["taken_back"]
    assert (back["what"], back["by"], back["back_by"]) == ("noise", "ana", "bruno")
    changed = {"taken_back": [], "thread": json.loads(before)["thread"]}
    assert made | changed == json.loads(before)
    again = ronda("shop", "1", "--undo")
    assert (again[0], kept(state)) == (0, [])
    assert "was taken back before" in again[1]
    assert "nothing was changed" in again[1]


def test_nobody_is_nobody(state: State, ronda: Ronda, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no login name is known, one is asked for."""

    def unknown() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr(incident.getpass, "getuser", unknown)
    assert "give --by NAME" in ronda("shop", "1", "--ack")[2]
    assert kept(state) == []


def test_a_service_without_incidents_says_so(ronda: Ronda, tmp_path: Path) -> None:
    """There is no table of nothing; a service that is not there is an error."""
    other = FILE.replace("service: shop", "service: calm")
    (tmp_path / "services/calm.yaml").write_text(other, encoding="utf-8")
    assert ronda("calm") == (0, "calm: no incident was ever seen.\n", "")
    assert ronda("nowhere")[0] == 2


def test_what_people_wrote_is_shown_as_text(ronda: Ronda) -> None:
    """No sign of a name or reason steers the terminal."""
    assert ronda("shop", "1", "--mute", UNTIL, "--reason", "a\x1b[31m", "--by", "e\x1b]0;x\x07")[0] == 0
    out = ronda("shop", "1")[1]
    assert "\x1b" not in out + ronda("shop")[1]
    assert f"muted until {UNTIL}, by e\ufffd]0;x\ufffd (command): a\ufffd[31m" in out
