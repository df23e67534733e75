"""No personal data at rest: a log full of it leaves nothing in lake, state, pages, logs or on the screen."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ronda import cli

PLANTED = (
    "529.982.247-25",
    "52998224725",
    "ana.souza@example.com",
    "(81) 99876-5432",
    "81998765432",
    "+55 81 99876-5432",
)
USER = "user-4711-ana"


def plant(columns: dict[str, Any]) -> None:
    """Put a CPF, an e-mail and a phone into a category, a text, a metadata column, numbers and a deployment's variant."""
    rows = len(columns["request_id"])
    columns["channel"] = [
        PLANTED[n % 6] if n % 50 == 0 else word for n, word in enumerate(columns["channel"])
    ]
    columns["note"] = [f"call me at {PLANTED[n % 6]} please {n}" for n in range(rows)]
    columns["metadata"] = [json.dumps({"customer": PLANTED[n % 6], "n": n}) for n in range(rows)]
    columns["contact"] = [PLANTED[n % 6] for n in range(rows)]
    columns["phone_number"] = [81998765432 + n for n in range(rows)]
    columns["account"] = [52998224725.0] * rows
    columns["user_id"] = [USER] * rows
    columns["prompt"] = [f"meu cpf é {PLANTED[0]}"] * rows
    columns["answer"] = [f"enviei para {PLANTED[2]}"] * rows
    columns["variant"] = [PLANTED[2]] * rows


def everything(root: Path) -> dict[str, bytes]:
    """All that ronda keeps below its home, unpacked where it is packed."""
    import gzip

    import pyarrow.parquet as pq

    kept: dict[str, bytes] = {}
    for path in (root / "var").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            if path.suffix == ".parquet":
                raw += json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
            kept[str(path)] = raw + (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else b"")
    return kept


@pytest.mark.parametrize("in_reference", [True, False], ids=["in the reference too", "after the reference"])
def test_nothing_personal_is_kept(
    shop: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    in_reference: bool,
) -> None:
    """After reference, night and release, none of the planted values is found in any file or output."""
    caplog.set_level(logging.DEBUG)
    days = sorted(shop.tables["requests"])
    for day in days if in_reference else days[2:]:
        shop.write_night(day, plant)
    for call in (
        ["reference", "shop", "--model-version", "v1", "--from", "2026-05-01", "--to", "2026-05-02"],
        ["night", "shop", "--from", "2026-05-09", "--to", "2026-05-10", "--evidently"],
        ["night", "shop", "--date", "2026-05-10", "--json"],
        ["release", "shop", "--from", "2026-05-09", "--to", "2026-05-09"],
    ):
        monkeypatch.setattr("sys.argv", ["ronda", *call])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code in {0, None}, capfd.readouterr()
    said = capfd.readouterr()
    kept = everything(shop.root) | {"screen": (said.out + said.err).encode(), "log": caplog.text.encode()}

    assert any(name.endswith(".html") for name in kept)
    assert any("/releases/" in name for name in kept)
    found = [
        (name, value) for name, raw in kept.items() for value in (*PLANTED, USER) if value.encode() in raw
    ]
    assert found == []
