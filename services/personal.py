"""What looks like personal data, by a column's name and by its content. Nothing here keeps or shows a value."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.check_digits import is_card, is_cnpj, is_cpf
from services.personal_names import PersonalKind, kind_of_name


@dataclass(frozen=True)
class PersonalHit:
    """Personal data seen in a column. It never carries a value.

    Attributes:
        kind: what it is, in the words a message uses.
        share: the part of the values that contain it, above 0 and at most 1; None when only the name tells.
        how: whether the column's name or its content tells.
    """

    kind: PersonalKind
    share: float | None
    how: Literal["name", "content"]

    @property
    def reason(self) -> str:
        """Why a column is not counted, as a snake-case word: `personal_data_e_mail`."""
        return f"personal_data_{_word(self.kind)}"


Strength = Literal["clear", "weak", "shape"]
"""How a find counts. `clear`: one is enough. `weak`: right digits that may be chance; `shape`: wrong ones."""

_WEAKEST_FIRST: tuple[Strength, ...] = ("shape", "weak", "clear")

_AREA = r"(?:[14689][1-9]|2[12478]|3[1-578]|5[1345]|7[134579])"  # Brazilian area codes in use
_MOBILE = re.compile(_AREA + r"9[0-9]{8}")
_LANDLINE = re.compile(_AREA + r"[2-5][0-9]{7}")
_MAIL = re.compile(r"(?i)(?<=[\w.+'-])(?:@|%40)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}(?![\w@-])")
_LOCAL = re.compile(r"(?i)(?:mailto:)?[\w.+'-]+")
_NUMBER = re.compile(
    rf"""
    (?<![\w.,]) (?=[0-9(+:a-f]) (?:
        (?P<cpf>   [0-9]{{3}}([. ])[0-9]{{3}}\2[0-9]{{3}}[-/ ]?[0-9]{{2}} | [0-9]{{9}}-[0-9]{{2}} )
      | (?P<cnpj>  [0-9a-z]{{2}}\.[0-9a-z]{{3}}\.[0-9a-z]{{3}}/[0-9a-z]{{4}}-?[0-9]{{2}}
                 | [0-9a-z]{{8}}/[0-9a-z]{{4}}-[0-9]{{2}} )
      | (?P<card>  [0-9]{{4}}([ -])[0-9]{{4}}\5[0-9]{{4}}\5[0-9]{{1,7}} | 3[0-9]{{3}}([ -])[0-9]{{6}}\6[0-9]{{4,5}} )
      | (?P<phone> \+[1-9][0-9]{{9,14}}
                 | \+[1-9][0-9]{{0,2}}(?:[ -]?\([0-9]{{1,4}}\)|[ -][0-9]{{1,4}})(?:[ .-]?[0-9]{{2,5}}){{2,4}}
                 | \(0?{_AREA}\)[ ]?9?[ ]?[0-9]{{4}}[ .-]?[0-9]{{4}}
                 | (?:55[ ])?0?{_AREA}[ -]9[ ]?[0-9]{{4}}[ .-]?[0-9]{{4}}
                 | (?:55[ ])?0?{_AREA}[ -](?!20[0-9]{{2}}-(?:19|20))[2-5][0-9]{{3}}-[0-9]{{4}}
                 | \([2-9][0-9]{{2}}\)[ ]?[2-9][0-9]{{2}}[ .-][0-9]{{4}} )
      | (?P<ipv4>  (?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}} (?!\.?[0-9]) )
      | (?P<ipv6>  [0-9a-f]{{0,4}}(?::[0-9a-f]{{0,4}}){{3,7}} )
      | (?<!-) (?P<run> [0-9]{{10,19}} ) (?:\.0$)?
    ) (?![\w@]|[.,/-][0-9])
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Most values of most columns are short numbers, dates and words: passed over before anything slower is tried.
_PLAIN = re.compile(
    r"[-+]?[0-9]{0,9}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.+Z-]*)?"
)
_WORTH_A_LOOK = re.compile(
    r"@|%40|[0-9](?:\W{0,2}[0-9]){7}|\.[0-9]{1,3}\.[0-9]|/[0-9A-Za-z]{4}-|:[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:"
)
_SEPARATORS = re.compile(r"[^0-9A-Z]")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))

_BEFORE = 30  # characters in which a word may announce a bare run of digits
_ANNOUNCED: dict[PersonalKind, re.Pattern[str]] = {
    "CPF": re.compile(r"(?i)cpf|pix|chave"),
    "CNPJ": re.compile(r"(?i)cnpj|pix|chave"),
    "card": re.compile(r"(?i)cart[ãa]o|\bcard|visa|master|\belo\b|amex|cr[eé]dito|d[eé]bito"),
    "phone": re.compile(
        r"(?i)pix|chave|fone|phone|celular|whats|zap\b|\btel\b|\bcel\b|mobile|ligar|ligue|liga\b"
    ),
    "IP address": re.compile(r"(?i)\bip\b|\bipv4\b|\bip_"),
}
# Bare digits: kind, lengths, what they must pass, and whether they count without a word before them. Ten digits
# are Unix seconds as often as landlines; thirteen or fourteen are milliseconds or yyyymmddhhmmss as often as cards.
_RUNS: tuple[tuple[PersonalKind, tuple[int, ...], Callable[[str], bool], bool], ...] = (
    ("CPF", (11,), is_cpf, True),
    ("CNPJ", (14,), is_cnpj, True),
    ("card", (15, 16), is_card, True),
    ("card", (13, 14, 19), is_card, False),
    ("phone", (11,), lambda digits: _MOBILE.fullmatch(digits) is not None, True),
    (
        "phone",
        (13,),
        lambda digits: digits.startswith("55") and _MOBILE.fullmatch(digits[2:]) is not None,
        True,
    ),
    ("phone", (10,), lambda digits: _LANDLINE.fullmatch(digits) is not None, False),
)
_SEVERAL = 3
# Weak finds count from this part of all values of that shape on: several times what chance gives (1 % of 11 or 14
# digits have right check digits, 10 % of card-like ones pass Luhn, 7 % of 11 digits could be a mobile phone).
_ABOVE_CHANCE: dict[PersonalKind, float] = {
    "CPF": 0.1,
    "CNPJ": 0.1,
    "card": 0.3,
    "phone": 0.5,
    "IP address": 0.5,
}


def masked(value: str) -> str:
    """The value, or a placeholder if it is or holds personal data.

    >>> masked("blue"), masked("52998224725"), masked("for ana@example.com")
    ('blue', 'masked_cpf', 'masked_e_mail')
    """
    hit = looks_personal_values([value])
    kind = could_be_personal(value) or (hit.kind if hit else None)
    return value if kind is None else placeholder(kind)


def placeholder(kind: PersonalKind) -> str:
    """What stands where a value was that is not kept.

    >>> placeholder("e-mail")
    'masked_e_mail'
    """
    return f"masked_{_word(kind)}"


def _word(kind: PersonalKind) -> str:
    return "_".join(kind.lower().replace("-", " ").split())


def looks_personal_name(column: str) -> PersonalHit | None:
    """Whether a column's name says that it holds personal data.

    >>> looks_personal_name("cpf_cliente")
    PersonalHit(kind='CPF', share=None, how='name')
    >>> looks_personal_name("shipping_tip") is None
    True
    """
    kind = kind_of_name(column)
    return PersonalHit(kind, None, "name") if kind else None


def looks_personal_values(values: Sequence[str]) -> PersonalHit | None:
    """The kind of personal data that most of the values contain, or None. See `personal_in_values`.

    >>> looks_personal_values(["bom dia", "meu e-mail: ana@example.com"])
    PersonalHit(kind='e-mail', share=0.5, how='content')
    >>> looks_personal_values(["1.2.3", "2013-06-24", "R$ 12,90", "62465904830"]) is None
    True
    """
    return next(iter(personal_in_values(values)), None)


def personal_in_values(values: Sequence[str]) -> tuple[PersonalHit, ...]:
    """Every kind of personal data in a column's distinct values, the most frequent first.

    One clear find is enough: an e-mail, a CPF or CNPJ written with its signs and right check digits, a card in
    groups that passes Luhn, a phone with area or country code and signs, an IPv6 address, or a bare run of digits
    that passes its check and is announced by a word before it ("CPF 529…"). Bare runs and IPv4 addresses (which
    look like versions) need at least three values, and several times more than chance among runs of that length.
    """
    seen: Counter[tuple[PersonalKind, Strength]] = Counter()
    for value in values:
        for kind_and_strength in _strongest(value):
            seen[kind_and_strength] += 1
    filled = sum(1 for value in values if value)
    kinds = sorted({kind for kind, _ in seen})
    hits = [PersonalHit(kind, found / filled, "content") for kind in kinds if (found := _counted(kind, seen))]
    return tuple(sorted(hits, key=lambda hit: -(hit.share or 0)))


def could_be_personal(value: str) -> PersonalKind | None:
    """What one whole value could be, with nothing beside it to tell: check digits that may be right by chance.

    For values that would be shown or kept one by one, where missing one is worse than suspecting one too many.
    Chance alone gives 1 % of 11-digit numbers for a CPF and 7 % for a mobile phone, 3 % of 16-digit ones for a card.

    >>> could_be_personal("52998224725"), could_be_personal("ana@example.com"), could_be_personal("11987654321")
    ('CPF', 'e-mail', 'phone')
    >>> could_be_personal("LaGuardia"), could_be_personal("1.2.3.4"), could_be_personal("order 52998224725")
    (None, None, None)
    """
    text = unicodedata.normalize("NFKC", value).translate(_DASHES).strip()
    if _PLAIN.fullmatch(text):
        return None
    if (at := _MAIL.search(text)) and at.end() == len(text) and _LOCAL.fullmatch(text, 0, at.start()):
        return "e-mail"
    whole = _NUMBER.fullmatch(text)
    likely = (kind for kind, strength in (_judged(whole) if whole else ()) if strength != "shape")
    return next(likely, None)


def _counted(kind: PersonalKind, seen: Counter[tuple[PersonalKind, Strength]]) -> int:
    clear, weak, shape = seen[kind, "clear"], seen[kind, "weak"], seen[kind, "shape"]
    convincing = weak >= _SEVERAL and weak >= _ABOVE_CHANCE.get(kind, 0) * (weak + shape)
    return clear + weak if convincing else clear


def _strongest(value: str) -> Iterable[tuple[PersonalKind, Strength]]:
    """Each kind found in one value, once, at its greatest strength."""
    text = value if value.isascii() else unicodedata.normalize("NFKC", value).translate(_DASHES)
    if _PLAIN.fullmatch(text) or not _WORTH_A_LOOK.search(text):
        return ()
    found: set[tuple[PersonalKind, Strength]] = {("e-mail", "clear")} if _MAIL.search(text) else set()
    for match in _NUMBER.finditer(text):
        found.update(_judged(match))
    return {kind: strength for strength in _WEAKEST_FIRST for kind, own in found if own == strength}.items()


def _judged(match: re.Match[str]) -> Iterator[tuple[PersonalKind, Strength]]:
    group = match.lastgroup or ""
    text = match[group]
    if group == "run":
        yield from _judged_run(match, text)
    elif group == "ipv4":
        yield from _judged_quad(match, text)
    elif group == "ipv6":
        if _is_ip(text):
            yield "IP address", "clear"
    elif _WRITTEN[group][1](_SEPARATORS.sub("", text.upper())):
        yield _WRITTEN[group][0], "clear"


def _judged_run(match: re.Match[str], digits: str) -> Iterator[tuple[PersonalKind, Strength]]:
    for kind, lengths, passes, alone in _RUNS:
        if len(digits) not in lengths:
            continue
        right = passes(digits)
        if right and _announced(kind, match):
            yield kind, "clear"
        elif alone:
            yield kind, ("weak" if right else "shape")


def _judged_quad(match: re.Match[str], text: str) -> Iterator[tuple[PersonalKind, Strength]]:
    if not _is_ip(text):
        yield "IP address", "shape"
    elif _announced("IP address", match):
        yield "IP address", "clear"
    else:  # versions have small parts; four parts below 32 happen to one address in 4,000
        yield "IP address", ("weak" if max(map(int, text.split("."))) >= 32 else "shape")


def _announced(kind: PersonalKind, match: re.Match[str]) -> bool:
    return _ANNOUNCED[kind].search(match.string, max(0, match.start() - _BEFORE), match.start()) is not None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_WRITTEN: dict[str, tuple[PersonalKind, Callable[[str], bool]]] = {
    "cpf": ("CPF", is_cpf),
    "cnpj": ("CNPJ", is_cnpj),
    "card": ("card", is_card),
    "phone": ("phone", lambda digits: 9 <= len(digits) <= 15),
}
