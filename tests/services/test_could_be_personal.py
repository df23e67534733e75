"""One whole value, with nothing beside it to tell: suspected sooner than a column is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.personal import could_be_personal, looks_personal_values


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("52998224725", "CPF"),
        (" 52998224725 ", "CPF"),
        ("529.982.247-25", "CPF"),
        ("529.982.247‑25", "CPF"),
        ("11222333000181", "CNPJ"),
        ("11.222.333/0001-81", "CNPJ"),
        ("4111111111111111", "card"),
        ("378282246310005", "card"),
        ("4111 1111 1111 1111", "card"),
        ("11987654321", "phone"),
        ("5511987654321", "phone"),
        ("(81) 98765-4321", "phone"),
        ("ana.souza+x@example.com.br", "e-mail"),
        ("mailto:ana@example.com", "e-mail"),
        ("192.168.0.7", "IP address"),
        ("2001:db8::1:2:3:4", "IP address"),
    ],
)
def test_a_whole_value_is_suspected(value: str, kind: str) -> None:
    """Right check digits, a mobile's shape, an e-mail or an address are enough when they are all there is."""
    assert could_be_personal(value) == kind


@pytest.mark.parametrize(
    "value",
    [
        "", "LaGuardia", "52998224726", "4111111111111112", "11222333000182", "1.2.3.4", "2013-06-24",
        "2013-06-24T10:00:00Z", "R$ 12,90", "order 52998224725", "@team", "v4.11.2", "1371945600", "3.14159265358979",
        "11111111111", "99", "00:00:00", "a@b",
    ],
)  # fmt: skip
def test_other_values_are_not(value: str) -> None:
    """Words, dates, versions, amounts, Unix seconds, wrong digits, and digits that stand among words."""
    assert could_be_personal(value) is None


@given(st.text(max_size=80))
def test_any_text_is_survived(value: str) -> None:
    """Whatever users type there is an answer, the same with blanks around, and nothing is seen in few signs."""
    assert could_be_personal(f" {value} ") == could_be_personal(value)
    assert could_be_personal(value) is None or len(value) >= 3


@pytest.mark.parametrize("value", ["52998224725", "11987654321", "4111111111111111", "192.168.0.7"])
def test_it_is_for_what_a_column_lets_pass(value: str) -> None:
    """A single bare value is no finding in a column, since chance gives such values, and is suspected by itself."""
    assert looks_personal_values([value]) is None
    assert could_be_personal(value) is not None


@pytest.mark.parametrize("piece", ["a.", "1 ", "@a", "a@", ":", "(", "+1 "])
def test_hostile_text_takes_no_longer(piece: str) -> None:
    """Long repetitions take time in proportion."""
    begin = time.perf_counter()
    could_be_personal(piece * 100_000)
    could_be_personal(piece * 100_000 + "@example.com")
    assert time.perf_counter() - begin < 5
