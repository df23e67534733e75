"""The home: its places, and the key that user ids are hashed with."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from services.errors import UsageError
from services.home import home_from


def test_everything_is_below_var_by_default(tmp_path: Path) -> None:
    """Without further variables, state and lake are in `var/` of the home."""
    home = home_from({"RONDA_HOME": str(tmp_path)})
    assert home.state_url == f"sqlite:///{tmp_path / 'var' / 'ronda.db'}"
    assert home.lake_url == str(tmp_path / "var" / "lake")
    assert home.services == tmp_path / "services"
    assert home.outbox == tmp_path / "var" / "outbox"


def test_the_outbox_may_be_elsewhere(tmp_path: Path) -> None:
    """Where the home can only be read, messages that are not sent need another folder; a relative one is below the home."""
    given = {"RONDA_HOME": str(tmp_path), "RONDA_OUTBOX": "/var/lib/ronda/outbox"}
    assert home_from(given).outbox == Path("/var/lib/ronda/outbox")
    assert home_from(given | {"RONDA_OUTBOX": "told"}).outbox == tmp_path / "told"
    assert home_from(given | {"RONDA_OUTBOX": ""}).outbox == tmp_path / "var" / "outbox"


def test_pages_go_to_pagerduty_by_default(tmp_path: Path) -> None:
    """Without a key nobody is woken; another receiver of the same events has another address."""
    given = {"RONDA_HOME": str(tmp_path)}
    home = home_from(given)
    assert (home.webhook_url, home.webhook_key) == ("https://events.pagerduty.com/v2/enqueue", "")
    assert home_from(given | {"RONDA_WEBHOOK_URL": " ", "RONDA_WEBHOOK_KEY": " "}) == home
    other = {"RONDA_WEBHOOK_URL": "https://pages.example/in\n", "RONDA_WEBHOOK_KEY": "key\n"}
    home = home_from(given | other)
    assert (home.webhook_url, home.webhook_key) == ("https://pages.example/in", "key")


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """A first call makes a random key only its owner can read; later calls read the same."""
    first = home_from({"RONDA_HOME": str(tmp_path)})
    file = tmp_path / "var" / "hash.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.hash_key) == 64
    assert home_from({"RONDA_HOME": str(tmp_path)}).hash_key == first.hash_key
    (tmp_path / "other").mkdir()
    assert home_from({"RONDA_HOME": str(tmp_path / "other")}).hash_key != first.hash_key


@pytest.mark.parametrize("held", ["", "0123456789abcde"])
def test_a_key_file_that_is_too_short_is_refused(tmp_path: Path, held: str) -> None:
    """What an interrupted write or a full disk left hides nobody's id; the file is named, and left as it is."""
    file = tmp_path / "var" / "hash.key"
    file.parent.mkdir()
    file.write_text(held)
    with pytest.raises(UsageError) as caught:
        home_from({"RONDA_HOME": str(tmp_path)})
    assert str(caught.value) == (
        f"{file} holds {len(held)} bytes, too few for the key user ids are hashed with. Put the key back from a"
        " copy; or delete the file and a new key is made, but then no id hashed until now matches one hashed later."
    )
    assert file.read_text() == held
    file.write_text(held + "0123456789abcdef")
    assert home_from({"RONDA_HOME": str(tmp_path)}).hash_key == f"{held}0123456789abcdef".encode()


def test_a_key_that_cannot_be_kept(tmp_path: Path) -> None:
    """Where there is no place for the file, the sentence names it and the other way."""
    (tmp_path / "var").write_text("a file")
    with pytest.raises(
        UsageError, match=r"hash\.key can be neither read nor made: Not a directory\. .*RONDA_HASH_KEY"
    ):
        home_from({"RONDA_HOME": str(tmp_path)})
    given = {"RONDA_HOME": str(tmp_path), "RONDA_HASH_KEY": "0123456789abcdef"}
    assert home_from(given).hash_key == b"0123456789abcdef"


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    """What lands in a log or a traceback names the root alone."""
    home = home_from(
        {
            "RONDA_HOME": str(tmp_path),
            "RONDA_STATE": "postgresql://u:hunter2@h/d",
            "RONDA_LAKE": "s3://k:hunter3@b",
            "RONDA_HASH_KEY": "hunter4-hunter4-hunter4",
            "RONDA_SLACK_TOKEN": "hunter5",
            "RONDA_SLACK_URL": "https://u:hunter6@slack.example/api",
            "RONDA_WEBHOOK_URL": "https://pages.example/hunter7",
            "RONDA_WEBHOOK_KEY": "hunter8",
        }
    )
    assert (home.slack_token, home.slack_url) == ("hunter5", "https://u:hunter6@slack.example/api/")
    assert (home.webhook_url, home.webhook_key) == ("https://pages.example/hunter7", "hunter8")
    assert repr(home) == f"Home(root={tmp_path!r})"
    assert home.hash_key == b"hunter4-hunter4-hunter4"
    assert not (tmp_path / "var" / "hash.key").exists()


def test_what_cannot_be_worked_with(tmp_path: Path) -> None:
    """A missing folder and a short key are refused; the key is not repeated."""
    with pytest.raises(UsageError, match="which is not a folder"):
        home_from({"RONDA_HOME": str(tmp_path / "gone")})
    with pytest.raises(UsageError, match="shorter than 16 characters") as caught:
        home_from({"RONDA_HOME": str(tmp_path), "RONDA_HASH_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)
