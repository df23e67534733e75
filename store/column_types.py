"""Column types that keep a value the same in SQLite and PostgreSQL, or refuse it."""

from __future__ import annotations

import hashlib
import math
import operator
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from services.errors import StateError

_KEY_BYTES = 300  # PostgreSQL refuses index rows over 2,704 bytes; our widest key has six texts


class UnstorableError(StateError, sa.exc.DontWrapMixin):
    """A value that one of the databases would refuse, or store as something else without a word."""


class Utc(TypeDecorator[datetime]):
    """An instant. Refuses naive times and always returns aware UTC (SQLite itself forgets the zone)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """An aware time, moved to UTC."""
        if value is not None and value.tzinfo is None:
            raise UnstorableError(
                f"The time {value} has no time zone, so it names no instant. Give an aware one."
            )
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The stored time, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Finite(TypeDecorator[float]):
    """A double. Refuses NaN and infinities: SQLite would keep NaN as NULL."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: sa.Dialect) -> float | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """A plain finite float, whatever numeric type came in."""
        if value is not None and not math.isfinite(value):
            raise UnstorableError(
                f"The number {value} cannot be kept. Record none, and say why in the reason."
            )
        return None if value is None else float(value)


class Whole(TypeDecorator[int]):
    """A 64-bit whole number. Takes NumPy's integers too, which SQLite's driver does not know."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """A plain int; a float is a mistake and raises TypeError."""
        return None if value is None else operator.index(value)


class Words(TypeDecorator[str]):
    """Text of any length, made storable: see `storable`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The text without what PostgreSQL refuses."""
        return None if value is None else storable(value)


class Key(TypeDecorator[str]):
    """Text that is part of a key, made storable and short: see `key_text`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The key as it is stored and looked for."""
        return None if value is None else key_text(value)


def storable(text: str) -> str:
    r"""Replace what PostgreSQL cannot hold (NUL, half surrogates) by the replacement character.

    >>> storable("a\x00b")
    'a\ufffdb'
    """
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def key_text(text: str) -> str:
    """A text short enough for an index: beyond 300 bytes its start, and a hash of the whole.

    >>> key_text("Recife")
    'Recife'
    >>> len(key_text("x" * 100_000))
    217
    """
    whole = storable(text)
    coded = whole.encode()
    if len(coded) <= _KEY_BYTES:
        return whole
    return coded[:200].decode(errors="ignore") + "…" + hashlib.sha256(coded).hexdigest()[:16]
