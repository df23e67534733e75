"""Check digits: what tells a CPF, a CNPJ or a card number from any other run of digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from operator import mul

# Issuer ranges in use in Brazil and abroad: Visa, Mastercard (5 and 2), American Express, Diners, JCB, Discover,
# Elo and Hipercard. https://en.wikipedia.org/wiki/Payment_card_number
_ISSUERS = re.compile(
    r"4|5[0-5]|2(?:2[2-9]|[3-6][0-9]|7[01]|720)|3[47]|3(?:0[0-5]|[68])|35(?:2[89]|[3-8])|6(?:011|4[4-9]|5)"
    r"|6277|636[23]|6062"
)
_CARD_LENGTHS = range(13, 20)


def is_cpf(digits: str) -> bool:
    """Whether 11 digits are a CPF: the last two are right, and not all eleven are equal.

    Each check digit is `sum(digit × weight) mod 11`, with weights rising to the right and ending in 9, and
    10 counted as 0.

    >>> is_cpf("52998224725"), is_cpf("52998224726"), is_cpf("11111111111")
    (True, False, False)
    """
    if len(digits) != 11 or digits == digits[0] * 11:
        return False
    numbers = [ord(digit) - 48 for digit in digits]
    return _ends_in_check(numbers[:10], range(1, 10)) and _ends_in_check(numbers, range(10))


def is_cnpj(text: str) -> bool:
    """Whether 14 characters are a CNPJ. Since July 2026 the first twelve may be capital letters, too.

    A character counts as its ASCII code less 48; the weights are those of a CPF, counted modulo 8 from 2 to 9.
    Formula: Instrução Normativa RFB nº 2.229/2024.

    >>> is_cnpj("11222333000181"), is_cnpj("12ABC34501DE35"), is_cnpj("11222333000182")
    (True, True, False)
    """
    if len(text) != 14 or text == text[0] * 14:
        return False
    numbers = [ord(character) - 48 for character in text]
    first = (6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9)
    return _ends_in_check(numbers[:13], first) and _ends_in_check(numbers, (5, *first))


def is_card(digits: str) -> bool:
    """Whether the digits could be a payment card: length, issuer's first digits, and Luhn's check (ISO/IEC 7812).

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("0000000000000000")
    (True, False, False)
    """
    return len(digits) in _CARD_LENGTHS and _ISSUERS.match(digits) is not None and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of those before it.

    >>> passes_luhn("79927398713"), passes_luhn("79927398710")
    (True, False)
    """
    numbers = [ord(digit) - 48 for digit in reversed(digits)]
    doubled = (2 * number - 9 * (number > 4) for number in numbers[1::2])
    return (sum(numbers[::2]) + sum(doubled)) % 10 == 0


def _ends_in_check(numbers: Sequence[int], weights: Iterable[int]) -> bool:
    total: int = sum(map(mul, numbers, weights))  # weights are one fewer: the check digit itself is left out
    return total % 11 % 10 == numbers[-1]
