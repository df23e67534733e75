"""What a new revision of a night has that the one before had not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring.text import count, is_small, say, short, term

_NAMED = 5  # columns; the rest are counted


def changes(language: str, before: Mapping[str, int], now: Mapping[str, int], columns: Sequence[str]) -> str:
    """The rows by reason that changed, or else the columns; empty for the first revision.

    A difference of 1 to 9 rows is not written, and cannot be read from what is.

    Args:
        before, now: rows by reason.
        columns: those whose counts are not what they were; named where the rows by reason are the same.
    """
    if not before:
        return ""
    both = [(reason, before.get(reason, 0), now.get(reason, 0)) for reason in sorted({*before, *now})]
    told = [_told(language, reason, was, is_now) for reason, was, is_now in both if was != is_now]
    if columns and not told:
        names = ", ".join(map(short, columns[:_NAMED]))
        rest = len(columns) - _NAMED
        more = say(language, "revised.more", n=rest) if rest > 0 else ""
        told.append(say(language, "revised.values", names=names, more=more))
    return "; ".join(told) or say(language, "revised.other")


def _told(language: str, reason: str, was: int, is_now: int) -> str:
    name = term(language, "reason", reason)
    if is_small(abs(is_now - was)) and not is_small(was) and not is_small(is_now):
        return say(language, f"revised.few.{'more' if is_now > was else 'fewer'}", reason=name)
    return say(language, "revised.rows", reason=name, was=count(language, was), now=count(language, is_now))
