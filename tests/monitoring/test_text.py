"""The catalogue and how numbers, dates and hostile words are written."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import text
from services.errors import UsageError

PACKAGE = Path(text.__file__).parent


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("key", sorted(text.catalogue()))
def test_every_sentence_exists_in_both_languages_with_the_same_placeholders(key: str) -> None:
    """A translation that forgets a number would tell half the story."""
    sentence = text.catalogue()[key]
    assert set(sentence) == {"en", "pt"}
    assert all(words.strip() for words in sentence.values())
    assert placeholders(sentence["en"]) == placeholders(sentence["pt"])


def test_variants_for_none_and_one_belong_to_a_sentence() -> None:
    """`key.one` without `key` would never be found for two."""
    variants = [key for key in text.catalogue() if key.endswith((".zero", ".one"))]
    assert len(variants) > 10
    assert [key for key in variants if key.rpartition(".")[0] not in text.catalogue()] == []


def test_every_key_a_template_asks_for_is_in_the_catalogue() -> None:
    """A missing sentence is found here, not at 02:30 on the one night that needs it."""
    asked = {
        match
        for file in sorted((PACKAGE / "templates").glob("*.html"))
        for match in re.findall(r'\bt\("([a-z_.]+)"[,)]', file.read_text(encoding="utf-8"))
    }
    assert {"numbers", "how.small", "index.legend", "everything"} <= asked
    assert asked - set(text.catalogue()) == set()


def test_no_sentence_stands_in_a_template() -> None:
    """Templates hold marks and signs only: words would escape translation."""
    for file in sorted((PACKAGE / "templates").glob("*.html")):
        words = re.sub(
            r"\{[%#{].*?[%#}]\}|<[^>]*>|&\w+;", " ", file.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        assert set(re.findall(r"[^\W\d_]{2,}", words)) <= {"ronda"}, file.name


FIRST = (
    *("first.", "requests", "moved", "usual.", "number.", "page.", "story.", "told.", "watched."),
    *("message.", "late.", "morning.", "index."),
)


def test_no_first_line_names_a_statistic() -> None:
    """What stands above `How sure?` is for people."""
    names = re.compile(
        r"wasserstein|jensen|p-value|deviation|desvio|psi\b|distance|distância|divergen", re.IGNORECASE
    )
    first = [key for key in text.catalogue() if key.startswith(FIRST)]
    assert len(first) > 40
    assert [key for key in first if any(map(names.search, text.catalogue()[key].values()))] == []


def test_an_unknown_language_says_which_are_known() -> None:
    """The error names what was found and what would be right."""
    with pytest.raises(UsageError, match=r"language 'de'.*en, pt"):
        text.say("de", "moved", n=2)


def test_none_one_and_many() -> None:
    """The number chooses the form."""
    assert [text.say("en", "moved", n=n) for n in (0, 1, 2)] == [
        "no feature moved", "1 feature moved", "2 features moved",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "en", "pt"),
    [
        (None, "–", "–"),
        (0, "0", "0"),
        (1, "<10", "<10"),
        (9, "<10", "<10"),
        (10, "10", "10"),
        (336_776, "336,776", "336.776"),
    ],
)
def test_small_counts_are_not_written(rows: int | None, en: str, pt: str) -> None:
    """1 to 9 could point at a person; 0 points at nobody."""
    assert (text.count("en", rows), text.count("pt", rows)) == (en, pt)


@given(whole=st.integers(10, 10**7), data=st.data())
def test_a_share_does_not_tell_a_small_count(whole: int, data: st.DataObject) -> None:
    """Every count from 1 to 9 in the same whole reads the same, and the bound is true."""
    few = data.draw(st.integers(1, min(9, whole - 1)))
    assert text.share("en", few / whole, few, whole) == text.share("en", 1 / whole, 1, whole)
    bound = float(text.share("en", few / whole, few, whole).strip("<\u00a0%").replace(",", ""))
    assert bound / 100 >= min(10 / whole, 1.0) - 1e-9


@given(whole=st.integers(20, 10**6), few=st.integers(1, 9))
def test_a_share_does_not_tell_what_few_rows_lack(whole: int, few: int) -> None:
    """All but a few is as telling as a few."""
    written = text.share("en", 1 - few / whole, whole - few, whole)
    assert written == text.share("en", 1 - 1 / whole, whole - 1, whole)
    assert written.startswith(">")


@pytest.mark.parametrize(
    ("value", "en", "pt"),
    [(0.0, "0", "0"), (0.0123, "0.0123", "0,0123"), (2.5, "2.5", "2,5"), (1234.5, "1,234", "1.234"),
     (float("nan"), "–", "–"), (float("inf"), "–", "–"), (1e308, "1.00e+308", "1,00e+308"), (-0.5, "-0.5", "-0,5")],
)  # fmt: skip
def test_numbers(value: float, en: str, pt: str) -> None:
    """Three digits that matter, in the language's own signs."""
    assert (text.number("en", value), text.number("pt", value)) == (en, pt)


def test_dates() -> None:
    """A weekday tells more than a number."""
    assert text.day("en", date(2013, 3, 1)) == "Fri 1 Mar 2013"
    assert text.day("pt", date(2013, 12, 28)) == "sáb 28 dez 2013"


@pytest.mark.parametrize(
    ("word", "said"),
    [("kept", "kept and judged"), ("wind_below_min", "wind below its least value"),
     ("request_id_missing", "no id"), ("seats_missing", "no seats"), ("personal_data_cpf", "personal data cpf")],
)  # fmt: skip
def test_reasons(word: str, said: str) -> None:
    """Known reasons, reasons that carry a column's name, and reasons nobody has named yet."""
    assert text.term("en", "reason", word) == said


def test_hidden_signs_are_shown() -> None:
    """Direction marks, NUL, lone surrogates and line separators can lie about what a name says; emoji cannot."""
    assert text.short("a\u202eb\x00c\ud800d\u2028e\u200bf") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert text.short("👩\u200d💻 olá") == "👩\u200d💻 olá"


def test_long_names_are_cut_visibly() -> None:
    """10 kB of name become 64 signs that end in an ellipsis."""
    cut = text.short("x" * 10_000)
    assert (len(cut), cut[-2:]) == (64, "x…")


@pytest.mark.parametrize(
    ("address", "safe"),
    [("2013-06-24.html", True), ("../a/b.html#c", True), ("https://pages.example/a?b=c", True), ("", True),
     ("javascript:alert(1)", False), ("JaVaScRiPt:alert(1)", False), ("data:text/html,x", False),
     ("//elsewhere.example/", False), ("java\nscript:x", False), ("javascript://x%0aalert(1)", False), ("ftp://x/y", False), ("\\\\host\\x", False), ("https:x", False)],
)  # fmt: skip
def test_only_harmless_addresses_are_linked(address: str, safe: bool) -> None:
    """Anything but a relative, http or https address becomes no link."""
    assert text.href(address) == (address if safe else "")


def test_the_last_gate_makes_everything_visible() -> None:
    """A template that forgets to shorten a name still cannot be turned around, flooded or injected."""
    written = text._environment("en").from_string("{{ name }}").render(name="<i>\u202e\x00" + "x" * 10_000)
    assert written.startswith("&lt;i&gt;\ufffd\ufffdxx")
    assert written.endswith("x…")
    assert len(written) < 1_300
