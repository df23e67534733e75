"""The words: every sentence a person reads, how numbers and dates are written, and the pages they stand in.

Sentences live in `catalogue.yaml`, keyed, in every language. Nothing else in the package holds text for people.
Counts of 1 to 9 are never written: they could point at a person (see `count` and `share`).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from services.errors import UsageError

LANGUAGES = ("en", "pt")
SMALL = 10
"""Counts below this, and above zero, are written `<10`."""

_HERE = Path(__file__).parent
_NAME_LENGTH, _VALUE_LENGTH, _OUTPUT_LENGTH = 64, 300, 1200
_JOINER = "\u200d"  # holds an emoji of several parts together; every other invisible sign is shown
_NBSP = "\u00a0"
_RULE_ENDINGS = (
    "_missing",
    "_wrong_type",
    "_below_min",
    "_above_max",
    "_not_allowed",
)  # after a column's name


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> sentence with `{placeholders}`."""
    plain: dict[str, dict[str, str]] = yaml.safe_load((_HERE / "catalogue.yaml").read_text(encoding="utf-8"))
    return plain


def say(language: str, key: str, **values: Any) -> str:
    """The sentence of `key`. Numbers are written as counts, words from data are made safe and short.

    With `n` 0 or 1 the sentence of `key.zero` or `key.one` is taken where there is one.

    Raises:
        UsageError: there are no sentences in this language.

    >>> say("en", "moved", n=1), say("pt", "moved", n=1200)
    ('1 feature moved', '1.200 variáveis mudaram')
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"There is no text in the language {language!r}. Choose one of: {', '.join(LANGUAGES)}."
        )
    ending = {0: ".zero", 1: ".one"}.get(values.get("n", -1), "")
    sentence = catalogue().get(key + ending) or catalogue()[key]
    return _in(language, sentence).format(
        **{name: _written(language, value) for name, value in values.items()}
    )


def term(language: str, family: str, word: str) -> str:
    """The name of a code word such as a reason; a word the catalogue does not know is shown as it is.

    >>> term("en", "reason", "too_few_rows"), term("en", "reason", "age_below_min"), term("en", "reason", "odd_one")
    ('too few rows', 'age below its least value', 'odd one')
    """
    known = catalogue().get(f"{family}.{word}")
    if known:
        return _in(language, known)
    for ending in _RULE_ENDINGS:
        if family == "reason" and word.endswith(ending):
            return say(language, f"reason.*{ending}", column=short(word.removesuffix(ending)))
    return short(word).replace("_", " ")


def _in(language: str, sentence: Mapping[str, str]) -> str:
    if language not in LANGUAGES:
        raise UsageError(
            f"There is no text in the language {language!r}. Choose one of: {', '.join(LANGUAGES)}."
        )
    return sentence[language]


def _written(language: str, value: Any) -> str:
    return grouped(language, value) if isinstance(value, int) else short(str(value), _VALUE_LENGTH)


def short(text: str, length: int = _NAME_LENGTH) -> str:
    """Text from data, made visible and cut: control, invisible and direction signs become U+FFFD.

    >>> short("a" * 100, 5), short("sa\u202egpj.exe")
    ('aaaa…', 'sa\ufffdgpj.exe')
    """
    seen = "".join(map(_visible, text[: length + 1]))
    return seen if len(seen) <= length else seen[: length - 1] + "…"


def _visible(sign: str) -> str:
    hidden = unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} and sign != _JOINER
    return "\ufffd" if hidden else sign


def grouped(language: str, number: float, digits: int = 0) -> str:
    """A number with its thousands set apart, as the language does.

    >>> grouped("en", 12345.67, 1), grouped("pt", 12345.67, 1)
    ('12,345.7', '12.345,7')
    """
    english = f"{number:,.{digits}f}"
    return english.translate(str.maketrans(",.", ".,")) if language == "pt" else english


def count(language: str, rows: int | None) -> str:
    """How many rows: 1 to 9 become `<10`; nobody stands behind 0, so it is written.

    >>> count("en", 0), count("en", 9), count("en", 12345)
    ('0', '<10', '12,345')
    """
    if rows is None:
        return "–"
    return f"<{SMALL}" if is_small(rows) else grouped(language, rows)


def roughly(language: str, rows: int) -> str:
    """How many rows, to two digits: a whole that is also the part of another cannot give a small count away.

    >>> roughly("en", 3981), roughly("en", 18120), roughly("en", 9)
    ('4,000', '18,000', '<10')
    """
    return count(language, round(rows, min(-1, 2 - len(str(rows)))) if rows >= SMALL else rows)


def is_small(rows: int | None) -> bool:
    """Whether a count must not be written, or be readable from what is."""
    return rows is not None and 0 < rows < SMALL


def is_few(part: int, whole: int) -> bool:
    """Whether a share must not be written, as 1 to 9 requests are in it or outside of it.

    >>> is_few(4, 842), is_few(838, 842), is_few(0, 842)
    (True, True, False)
    """
    return is_small(part) or is_small(whole - part)


def blur(rows: float) -> float:
    """A count as it is drawn, sorted by, and computed with: 1 to 9 as 5, so that it tells nothing of them.

    >>> blur(3), blur(0), blur(10)
    (5.0, 0, 10)
    """
    return SMALL / 2 if 0 < rows < SMALL else rows


def share(
    language: str,
    value: float | None,
    part: int | None = None,
    whole: int | None = None,
    digits: int | None = None,
) -> str:
    r"""A share as percent, to a tenth, or to a hundredth below one percent.

    Where 1 to 9 rows are in it (or outside it) only a bound is written.

    >>> share("en", 0.034), share("pt", 0.0034), share("en", 4 / 842, 4, 842), share("en", 838 / 842, 838, 842)
    ('3.4\xa0%', '0,34\xa0%', '<1.2\xa0%', '>98.8\xa0%')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if is_small(whole):
        return "–"
    if part is not None and whole is not None and is_few(part, whole):
        return _bound(language, is_small(part), min(100.0, 100 * SMALL / whole), digits)
    places = digits if digits is not None else 2 if 0 < abs(value) < 0.01 else 1
    if 0 < value < 10.0 ** -(places + 2):
        return "<" + _percent(language, 100 * 10.0 ** -(places + 2), places)
    return _percent(language, 100 * value, places)


def _bound(language: str, below: bool, percent: float, digits: int | None) -> str:
    """`<` what 10 rows would be, or `>` what all but 10 would be, rounded towards saying less."""
    places = (1 if digits is None else min(digits, 1)) if percent >= 1 else 2
    up = math.ceil(percent * 10**places - 1e-9) / 10**places
    return ("<" if below else ">") + _percent(language, up if below else 100 - up, places)


def _percent(language: str, value: float, places: int) -> str:
    return grouped(language, value, places) + _NBSP + "%"


def number(language: str, value: float | None, digits: int = 3) -> str:
    """A number to `digits` significant digits, never rounding whole digits away.

    >>> number("en", 0.012345), number("pt", 3.14159), number("en", 98765.4), number("en", 1e300)
    ('0.0123', '3,14', '98,765', '1.00e+300')
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-6:
        return f"{value:.{digits - 1}e}".replace(".", "," if language == "pt" else ".")
    places = digits if size == 0 else max(0, digits - 1 - math.floor(math.log10(size)))
    return _trimmed(language, grouped(language, value, min(places, 8)))


def _trimmed(language: str, written: str) -> str:
    point = "," if language == "pt" else "."
    return written.rstrip("0").rstrip(point) if point in written else written


def duration(language: str, milliseconds: float | None) -> str:
    r"""A length of time: milliseconds below one second, seconds above.

    >>> duration("en", 142.4), duration("pt", 2140.0)
    ('142\xa0ms', '2,14\xa0s')
    """
    if milliseconds is None or not math.isfinite(milliseconds):
        return "–"
    if abs(milliseconds) < 1000:
        return number(language, milliseconds) + _NBSP + "ms"
    return number(language, milliseconds / 1000) + _NBSP + "s"


def day(language: str, night: date) -> str:
    """A date as people say it.

    >>> day("en", date(2013, 6, 24)), day("pt", date(2013, 6, 24))
    ('Mon 24 Jun 2013', 'seg 24 jun 2013')
    """
    weekday = catalogue()["weekdays"][language].split()[night.weekday()]
    return f"{weekday} {night.day} {catalogue()['months'][language].split()[night.month - 1]} {night.year}"


def brief_day(language: str, night: date, beside: date) -> str:
    """A date as people say it beside another one: without the year where it is the same.

    >>> brief_day("en", date(2013, 6, 13), date(2013, 6, 14)), brief_day("en", date(2012, 12, 31), date(2013, 1, 1))
    ('Thu 13 Jun', 'Mon 31 Dec 2012')
    """
    whole = day(language, night)
    return whole.removesuffix(f" {night.year}") if night.year == beside.year else whole


def href(address: str) -> str:
    """An address that is safe to link to, or nothing: relative, http or https.

    >>> href("2013-06-24.html"), href("javascript:alert(1)"), href("//elsewhere.example")
    ('2013-06-24.html', '', '')
    """
    if address != short(address, 2000) or any(sign in address for sign in " \\"):
        return ""
    scheme, colon, rest = address.partition(":")
    if colon and "/" not in scheme:
        return address if scheme.lower() in {"http", "https"} and rest.startswith("//") else ""
    return "" if address.startswith("//") else address


def fill(template: str, language: str, **values: Any) -> str:
    """A page from its template: everything is escaped, and nothing reaches it that is not visible."""
    return _environment(language).get_template(template).render(**values)


@cache
def _environment(language: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(t=partial(say, language), lang=language)
    environment.filters.update(
        day=partial(day, language),
        count=partial(count, language),
        number=partial(number, language),
        term=lambda word, family: term(language, family, word),
        short=short,
    )
    return environment


def _finalize(output: Any) -> Any:
    """The last gate before escaping, so that no template can forget it. Drawings hold numbers only."""
    return output if isinstance(output, Markup) else short(str(output), _OUTPUT_LENGTH)
