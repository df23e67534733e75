"""YAML read strictly: no duplicate keys, no keys that are not text, no references between parts."""

from __future__ import annotations

import re
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from services.errors import ServiceFileError

MAX_BYTES = 1_000_000
"""Of a file that a person writes; one that is larger is something else."""

_LARGEST = 2**63  # a whole number beyond this is no count of anything, and no database holds it
_DIGITS = 100  # reading a number takes time by the square of its length
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # NUL and half characters, written as escapes such as \ud800
_ODD = "holds a value that cannot be read. Text stands in quotes, a number is written in digits."


class _OddValueError(Exception):
    """A value that PyYAML takes for something it is not."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, noting keys given twice; the caller reports them with everything else."""

    # A date stays the text it was written as: nothing in a service file is a date, and 2013-13-45 would raise.
    yaml_implicit_resolvers = {  # noqa: RUF012 # PyYAML's own attribute, only ever read here
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.problems: list[str] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call] # the stubs leave it untyped
            problem = "found `*`, which refers to another part of the file: write the value out, or put text with * in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and _NO_TEXT.search(node.value):
            problem = "found a character that is none (NUL, or one half of a pair)"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value. PyYAML's own constructors raise whatever they meet: KeyError for `!!bool maybe`, and so on."""
        line = node.start_mark.line + 1
        if node.tag.endswith((":int", ":float")) and len(node.value) > _DIGITS:
            raise _OddValueError(line)
        try:
            made = super().construct_object(node, deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError):
            raise _OddValueError(line) from None
        if isinstance(made, int) and abs(made) >= _LARGEST:
            raise _OddValueError(line)
        return made

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ARG002 # PyYAML's signature; parts are always read whole
        if not isinstance(node, yaml.MappingNode):  # `!!map text`: PyYAML says where
            return super().construct_mapping(node)
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                shown = key.value if isinstance(key, yaml.ScalarNode) else "…"
                self.problems.append(
                    f"the key `{shown}` in line {line} is not read as text. Put it in quotes."
                )
            elif key.value in seen:
                first = seen[key.value]
                self.problems.append(
                    f"the key `{key.value}` stands in line {first} and again in line {line}. Keep one of them."
                )
            else:
                seen[key.value] = line
        made = super().construct_mapping(node, deep=True)
        return {
            key: value for key, value in made.items() if isinstance(key, str)
        }  # the others are problems already


def read_yaml(path: Path) -> tuple[dict[str, Any], list[str], str]:
    """Read a file that holds one mapping.

    Returns:
        The mapping, the problems a reader may go on in spite of (keys given twice), and the text itself.

    Raises:
        ServiceFileError: the file is none or too large, not UTF-8, not YAML, empty, or holds something other than
            a mapping.
    """
    text = _text(path)
    try:
        loader, data = _loaded(text)
    except yaml.YAMLError as error:
        raise ServiceFileError(
            f"{path}: {_syntax(error)}"
        ) from None  # the original quotes the line, secrets and all
    except _OddValueError as error:
        raise ServiceFileError(f"{path}: line {error.line} {_ODD}") from None
    except RecursionError:
        raise ServiceFileError(f"{path} is nested too deeply to be a service file.") from None
    if data is None:
        raise ServiceFileError(
            f"{path} is empty. Write the keys of a service in it, beginning with `service: {path.stem}`."
        )
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "a single value"
        raise ServiceFileError(
            f"{path} holds {found}; write keys with values, beginning with `service: {path.stem}`."
        )
    return data, loader.problems, text


def file_bytes(path: Path) -> bytes:
    """What an ordinary file holds. Reading a pipe would wait for ever, and a device may have no end.

    Raises:
        ServiceFileError: it is not there, something other than a file, or larger than `MAX_BYTES`.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ServiceFileError(f"{path} is no ordinary file.")
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)  # what a file says of its size is not always so, see /proc
    except OSError as error:
        raise ServiceFileError(f"{path} cannot be read: {error.strerror}.") from None
    if len(found) > MAX_BYTES:
        raise ServiceFileError(f"{path} is larger than 1 MB, and no service file is.")
    return found


def _loaded(text: str) -> tuple[_StrictLoader, Any]:
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
    except (ValueError, ArithmeticError):  # "\U00110000": the reader stands where that is
        raise _OddValueError(loader.line + 1) from None
    return loader, None if node is None else loader.construct_document(node)


def _text(path: Path) -> str:
    try:
        return file_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ServiceFileError(f"{path} is not UTF-8 text (line {line}). Save it as UTF-8.") from None


def _syntax(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character YAML does not know; it has a position only
        return "it holds a control character. Remove it."
    problem = getattr(error, "problem", None) or "it cannot be read"
    unquoted = isinstance(error, yaml.scanner.ScannerError)
    advice = " Put text that begins with @ * & % ` or holds a colon in quotes." if unquoted else ""
    return f"line {mark.line + 1}, column {mark.column + 1} is not valid YAML: {problem}.{advice}"
