"""Check digits, held against an independent statement of each rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.check_digits import is_card, is_cnpj, is_cpf, passes_luhn


def appended(body: str, weights: list[int], count: int = 2) -> str:
    """The body with its check digits, by the textbook's rule: 11 less the rest, 10 and 11 counting as 0."""
    for _ in range(count):
        used = weights[-len(body) :]
        rest = sum((ord(c) - 48) * w for c, w in zip(body, used, strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return body


CPF = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
CNPJ = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]


@given(st.text("0123456789", min_size=9, max_size=9), st.text("0123456789", min_size=2, max_size=2))
def test_cpf(body: str, ending: str) -> None:
    """The textbook's two digits pass, any other two fail, and so do eleven equal ones."""
    right = appended(body, CPF)
    assert is_cpf(right) == (len(set(right)) > 1)
    assert is_cpf(body + ending) == (body + ending == right and len(set(right)) > 1)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12))
def test_cnpj(body: str) -> None:
    """A CNPJ of digits or, as since July 2026, with letters passes; with its last digit moved on it fails."""
    cnpj = appended(body, CNPJ)
    assert is_cnpj(cnpj) == (len(set(cnpj)) > 1)
    assert not is_cnpj(cnpj[:-1] + str((int(cnpj[-1]) + 1) % 10))


@given(st.text("0123456789", min_size=12, max_size=18), st.integers(1, 9))
def test_luhn(body: str, shift: int) -> None:
    """Exactly one last digit passes, and a single changed digit never does."""
    passing = [digit for digit in "0123456789" if passes_luhn(body + digit)]
    assert len(passing) == 1
    whole = body + passing[0]
    assert not passes_luhn(str((int(whole[0]) + shift) % 10) + whole[1:])


@pytest.mark.parametrize("digit", "0123456789")
def test_equal_digits_are_no_document(digit: str) -> None:
    """Eleven equal digits pass the sums; nobody has such a CPF, and forms are full of them."""
    assert not is_cpf(digit * 11)
    assert not is_cnpj(digit * 14)


@pytest.mark.parametrize(
    ("number", "card"),
    [
        ("4111111111111111", True),  # Visa's published test number
        ("5555555555554444", True),  # Mastercard's
        ("2223003122003222", True),
        ("378282246310005", True),  # American Express'
        ("30569309025904", True),  # Diners'
        ("3530111333300000", True),  # JCB's
        ("6362970000457013", True),  # Elo's
        ("6062826786276634", True),  # Hipercard's
        ("4111111111111112", False),  # Luhn fails
        ("1111111111111117", False),  # no issuer begins with 1
        ("411111111111", False),  # too short
        ("", False),
    ],
)
def test_cards(number: str, card: bool) -> None:
    """The issuers' own test numbers pass; wrong check digit, issuer or length fail."""
    assert is_card(number) is card


@pytest.mark.parametrize("text", ["", "1", "529982247255", "5299822472"])
def test_other_lengths(text: str) -> None:
    """Another number of digits is neither."""
    assert not is_cpf(text)
    assert not is_cnpj(text)
