"""What a trainer's error may tell: its type and its place, and never a user's data."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rollout.retrain import retrain
from services.errors import RondaError, UsageError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = "ana" + "@example.com"
RAISE = (
    f"raise ValueError('cannot read ' + '{SECRET[:3]}' + '{SECRET[3:]}')"  # no line of it holds the secret
)


def told(shop: Any, kind: type[RondaError]) -> str:
    """The message, once it is sure that all that Python would print of the error keeps the secret."""
    with pytest.raises(kind) as raised:
        retrain(shop.watch, shop.version, NOW)

    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET in str(raised.value.__context__)  # the fault was there to be told
    return str(raised.value)


def by(shop: Any, module: Callable[[str, str], None], source: str, name: str = "telling_trainer") -> None:
    """Let a module with this source train."""
    module(name, source)
    shop.train_by(f"{name}:fit")


def test_fit(shop: Any, module: Callable[[str, str], None]) -> None:
    """The innermost place of the trainer's own module, not of the library that it called."""
    module("deep_library", f"def parse(text):\n    {RAISE}\n")
    by(
        shop,
        module,
        "import deep_library\n\ndef inner(rows):\n    deep_library.parse('')\n\ndef fit(rows):\n    inner(rows)\n",
    )

    assert ": ValueError at telling_trainer.py:4 in inner. Its text is not shown" in told(shop, RondaError)


def test_a_fit_from_another_module(shop: Any, module: Callable[[str, str], None]) -> None:
    """The named module only passes it on: the place is where it is written."""
    module("written_elsewhere", f"def fit(rows):\n    {RAISE}\n")
    by(shop, module, "from written_elsewhere import fit\n")

    assert ": ValueError at written_elsewhere.py:2 in fit. " in told(shop, RondaError)


def test_no_place_of_its_own(shop: Any, module: Callable[[str, str], None]) -> None:
    """Only the type is left where no frame is the trainer's."""
    module("deep_library", f"def parse(rows):\n    {RAISE}\n")
    source = "from rollout.records import Fitted\nimport deep_library\ndef fit(rows):\n    return Fitted({}, b'm', 'a')\n"
    by(shop, module, source.format("deep_library.parse"))

    assert " held-out rows: ValueError. Its text is not shown" in told(shop, RondaError)


@pytest.mark.parametrize("error", ["ValueError", "SystemExit"])
def test_predict(shop: Any, module: Callable[[str, str], None], error: str) -> None:
    """A model that quotes the row it failed on; a script's way out is an error too."""
    raising = RAISE.replace("ValueError", error)
    source = "from rollout.records import Fitted\ndef fit(rows):\n    def predict(later):\n        {}\n    return Fitted(predict, b'm', 'a')\n"
    by(shop, module, source.format(raising))

    assert f": {error} at telling_trainer.py:4 in predict. Its text is not shown" in told(shop, RondaError)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (f"x = 1\n{RAISE}\n", "ValueError at telling_trainer.py:2 in <module>"),
        (f"def read():\n    {RAISE}\n\nread()\n", "ValueError at telling_trainer.py:2 in read"),
        (f"{RAISE.replace('ValueError', 'ModuleNotFoundError')}\n", "ModuleNotFoundError at telling_trainer.py:1 in <module>"),
        (f"import sys\nsys.exit('{SECRET[:3]}' + '{SECRET[3:]}')\n", "SystemExit at telling_trainer.py:2 in <module>"),
        (f"def __getattr__(name):\n    {RAISE}\n", "ValueError at telling_trainer.py:2 in __getattr__"),
    ],
)  # fmt: skip
def test_import(shop: Any, module: Callable[[str, str], None], source: str, place: str) -> None:
    """A module that reads data as it is imported may quote it as well."""
    by(shop, module, source)

    assert f"its module cannot be imported: {place}. Its text is not shown" in told(shop, UsageError)


def test_a_module_that_is_no_python(shop: Any, module: Callable[[str, str], None]) -> None:
    """Python would print the line; its number is enough."""
    by(shop, module, f"x = 1\nsend {SECRET}\n")
    with pytest.raises(UsageError) as refused:
        retrain(shop.watch, shop.version, NOW)

    assert "its module cannot be imported: SyntaxError at telling_trainer.py:2. Its text" in str(
        refused.value
    )
    assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "given",
    [
        "later['size'].map(lambda _: 0.5)",
        "[0.5] * len(later)",
        "later['size'].map(lambda _: 0.5).astype('Float64')",
        "later['size'].map(lambda _: 0.5).astype('float32').to_numpy()",
        "[0] + [True] * (len(later) - 1)",
    ],
)
def test_predictions_of_many_kinds(shop: Any, module: Callable[[str, str], None], given: str) -> None:
    """Series, lists and narrower floats are as good as arrays."""
    source = "from rollout.records import Fitted\ndef fit(rows):\n    return Fitted(lambda later: {}, b'm', 'a.b-c_d=1')\n"
    by(shop, module, source.format(given))

    made = retrain(shop.watch, shop.version, NOW)
    assert made.new is not None
    assert made.new.rows == 240
    assert made.path.endswith("/a.b-c_d=1")
