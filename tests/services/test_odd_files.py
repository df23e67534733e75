"""Files that are no service files in ways nobody foresees: each is an error of that file, and none hangs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.errors import ServiceFileError
from services.home import Home
from services.read import read_service

Write = Callable[..., None]
ODD = "line 6 holds a value that cannot be read."
NOT_TEXT = "is not valid YAML: found a character that is none"


def error(home: Home, name: str = "eta") -> str:
    """What is said of a file; it can be stored and sent whatever the file holds."""
    with pytest.raises(ServiceFileError) as caught:
        read_service(name, home)
    said = str(caught.value)
    assert said.encode()
    return said


@pytest.mark.parametrize(
    "value",
    [
        *("0b_", "0x_", "190:20:30.1_:", "!!int abc", "!!float abc", "!!bool maybe"),
        *("!!timestamp x", "!!timestamp 2013-13-45", '"\\U00110000"', '"\\UFFFFFFFF"'),
        *("1" * 5000, "0x" + "f" * 5000, str(2**63), str(-(2**63)), "1:" * 300_000 + "1"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read(home: Home, write: Write, value: str) -> None:
    """The line is named and the value is not, wherever in the file it stands."""
    for key in ("until", "enough: {rows", "features: {rules: {a: {min"):
        write(add=f"{key}: {value}{'}' * key.count('{')}\n")
        said = error(home)
        if value.endswith(":"):  # text, to YAML
            continue
        assert said.startswith(f"{home.services / 'eta.yaml'}: {ODD}"), said
        assert value[:300] not in said


@pytest.mark.parametrize(
    "line", ["0b_: 1", "0xfffffffffffffffff: 1", "until: [!!bool maybe]", "? !!int x\n: 1"]
)
def test_an_odd_key_or_part(home: Home, write: Write, line: str) -> None:
    """Keys are values too."""
    write(add=f"{line}\n")
    assert ODD in error(home)


@pytest.mark.parametrize(
    "value", ["!!map foo", "!!map [a, b]", "!!set foo", "!!omap foo", "!!seq foo", "!!map {a: !!map b}"]
)
def test_a_value_of_another_kind(home: Home, write: Write, value: str) -> None:
    """A list that is said to be a mapping, and so on, by line and column."""
    write(add=f"until: {value}\n")
    assert "line 6, column" in error(home)
    write(instead=f"{value}\n")
    assert "line 1, column" in error(home)


def test_the_largest_numbers_are_read(home: Home, write: Write) -> None:
    """What fits in 64 bits is a number like any other."""
    write(add=f"enough: {{rows: {2**63 - 1}}}\n")
    assert read_service("eta", home).enough.rows == 2**63 - 1


@pytest.mark.parametrize("sign", ["\\ud800", "\\udfff", "\\ud83d\\ude00", "\\0", "\\x00", "\\uDC80"])
@pytest.mark.parametrize(
    "line", ['noun: "{}"', '"{}": 1', '"{0}": 1\n"{0}": 2', 'slices: ["a{}b"]', '? "{}"']
)
def test_what_is_no_character(home: Home, write: Write, line: str, sign: str) -> None:
    """It could be read, but no database, no log and no message could hold it."""
    write(add=line.format(sign) + "\n")
    said = error(home)
    assert NOT_TEXT in said
    assert "line 6" in said
    write(add='noun: "\\U0001F600 é"\n')
    assert read_service("eta", home).noun == "\U0001f600 é"


@pytest.mark.parametrize("name", ["eta.yaml", "_defaults.yaml"])
def test_what_is_no_file(home: Home, name: str) -> None:
    """A pipe would be waited for, a device has no end: neither is opened, nor through a link."""
    path = home.services / name
    for make in (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")):
        path.unlink(missing_ok=True) if not path.is_dir() else path.rmdir()
        make(path)
        assert f"{path} is no ordinary file." in error(home)


def test_a_file_that_is_too_large(home: Home, write: Write) -> None:
    """1 MB is read, and a byte more is not; nor is a file that says it is empty and is not."""
    good = (home.services / "eta.yaml").read_text(encoding="utf-8")
    write(add="#" * (1_000_000 - len(good)))
    assert read_service("eta", home).service == "eta"
    write(add="#" * (1_000_001 - len(good)))
    assert "eta.yaml is larger than 1 MB" in error(home)


@pytest.mark.parametrize(
    ("target", "told"), [("nowhere", "No such file"), ("_defaults.yaml", "Too many levels")]
)
def test_defaults_that_lead_nowhere(home: Home, target: str, told: str) -> None:
    """What they said would be missing without a word."""
    (home.services / "_defaults.yaml").symlink_to(target)
    said = error(home)
    assert f"{home.services / '_defaults.yaml'} cannot be read: {told}" in said


def test_a_name_that_is_no_text(home: Home) -> None:
    """It is spelled where it is shown."""
    (home.services / os.fsdecode(b"caf\xe9.yaml")).write_text("", encoding="utf-8")
    assert "There are: caf\\udce9, eta." in error(home, "zzzzzz")
    assert "Name the file with a to z" in error(home, os.fsdecode(b"caf\xe9"))
