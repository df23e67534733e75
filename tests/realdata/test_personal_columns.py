"""Personal data in delivery-app messages whose truth is known (`ptbr_pii_dups`); runs with `--data` only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from services.personal import personal_in_values

KINDS = {"CPF": "CPF", "CNPJ": "CNPJ", "EMAIL": "e-mail", "CARTAO": "card", "TELEFONE": "phone"}


@pytest.fixture(scope="module")
def messages(data_folder: Path) -> list[dict[str, Any]]:
    """The messages whose spans are known: 1,000 originals and those copies that kept their offsets."""
    file = data_folder / "ptbr_pii_dups" / "dev.parquet"
    rows = pq.read_table(file, columns=["text", "spans"]).to_pylist()
    return [{**row, "spans": json.loads(row["spans"])} for row in rows if row["spans"] not in {None, "null"}]


def test_each_message_alone(messages: list[dict[str, Any]]) -> None:
    """Every message with a CPF, CNPJ, e-mail, card or phone is seen by itself, and no message without one is.

    Order numbers that fail the CPF's digits, receipts that fail Luhn, prices and dates are among the others.
    """
    truth = [{KINDS[span["type"]] for span in row["spans"] if span["type"] in KINDS} for row in messages]
    seen = [{hit.kind for hit in personal_in_values([row["text"]])} for row in messages]
    wrong = [position for position, pair in enumerate(zip(truth, seen, strict=True)) if pair[0] != pair[1]]
    assert wrong == []
    assert len(messages) > 1000


@pytest.mark.parametrize(("entity", "kind"), KINDS.items())
def test_a_column_of_nothing_else(messages: list[dict[str, Any]], entity: str, kind: str) -> None:
    """A column of such values is seen with all of its values, in whatever way each is written."""
    values = {span["value"] for row in messages for span in row["spans"] if span["type"] == entity}
    hits = personal_in_values(sorted(values))
    assert (hits[0].kind, hits[0].share) == (kind, 1.0)
