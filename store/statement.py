"""The statements of a night, built once in SQLAlchemy Core and run where the rows live.

typed (cast and cut to the window) -> marked (copies of a duplicated id numbered) -> judged (a reason for
every row that is not kept) -> counted (all histograms in one scan).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from services.slices import BETWEEN, PLAIN, SIGN
from services.window import Window
from store.dialect import instant, try_double
from store.grid import NULL, CategoryGrid, Grid, double
from store.query import REQUESTS, STAGED

Select = sa.Select[Any]
Reading = Literal["id", "time", "number", "category", "parsed"]
"""How a column is read; `parsed` is text that was declared a number, cast row by row."""

KEPT = "kept"
COPY = "ronda_copy"  # column that numbers the rows of one id; prefixed so that no user's column has the name
REASON = "ronda_reason"  # column that says why a row is set aside; prefixed for the same reason
_TYPES: dict[Reading, sa.types.TypeEngine[Any]] = {
    "id": sa.Text(),
    "time": sa.DateTime(timezone=True),
    "number": sa.Double(),
    "category": sa.Text(),
    "parsed": sa.Text(),
}


@dataclass(frozen=True)
class Rule:
    """A row that breaks it is quarantined under `reason`. The first broken rule names the row's reason."""

    reason: str
    column: str
    test: Literal["missing", "wrong_type", "below", "above", "not_allowed"]
    operand: float | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Selection:
    """What is read of a view for a window.

    Attributes:
        columns: column -> how it is read; `request_id` and `time` are always among them.
        bounded: the query promises to return the window only (see `store.query.Query`).
        rules: beside the rules every log obeys (id and time present, inside the night, id not repeated).
        duplicates: some id occurs twice; only then are copies looked for.
        crosses: a column that the view does not have -> the columns it is made of. It is among `columns`, as a category.
    """

    columns: Mapping[str, Reading]
    window: Window
    bounded: bool
    rules: tuple[Rule, ...] = ()
    duplicates: bool = False
    view: str = REQUESTS
    crosses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def typed(selection: Selection) -> Select:
    """The selected columns in the few types that every engine has, cut to the window if the query is not."""
    own = {name: read for name, read in selection.columns.items() if name not in selection.crosses}
    made = {name: parts for name, parts in selection.crosses.items() if name in selection.columns}
    parts = dict.fromkeys(part for each in made.values() for part in each)
    view = sa.table(
        selection.view,
        *[sa.column(name, _TYPES[read]) for name, read in own.items()],
        *[sa.column(name, _TYPES["category"]) for name in parts if name not in own],
    )
    cast = [sa.cast(view.c[name], _TYPES[read]).label(name) for name, read in own.items()]
    cast += [
        _crossed([view.c[part] for part in each]).label(_alias(selection, n)) for n, each in made.items()
    ]
    statement = sa.select(*cast)
    if selection.bounded:
        return statement
    time = sa.cast(view.c.time, _TYPES["time"])
    return statement.where(_inside(time, selection.window))


def duplicated_ids(selection: Selection) -> Select:
    """How many ids occur more than once: one row, column `ids`."""
    ids = _repeated(typed(selection).subquery("typed")).subquery("repeated")
    return sa.select(sa.func.count().label("ids")).select_from(ids)


def total(selection: Selection) -> Select:
    """How many rows the window has: one row, column `rows`."""
    return sa.select(sa.func.count().label("rows")).select_from(typed(selection).subquery("typed"))


def marked(selection: Selection) -> Select:
    """The typed rows with their copy number. Only rows of a repeated id are sorted.

    The copy that is kept is the earliest inside the window, then the first by all columns, so that it is the
    same on every engine, and whether or not the query also returns rows of another night.
    """
    rows = typed(selection).subquery("typed")
    if not selection.duplicates:
        return sa.select(*rows.c, sa.literal(1).label(COPY))
    repeated = _repeated(typed(selection).subquery("again"))
    others = [
        _sortable(rows.c[_alias(selection, name)], read)
        for name, read in selection.columns.items()
        if name not in {"request_id", "time"}
    ]
    outside = sa.case((_inside(rows.c.time, selection.window), 0), else_=1)
    order = sa.func.row_number().over(
        partition_by=rows.c.request_id, order_by=[outside, rows.c.time, *others]
    )
    among = rows.c.request_id.in_(repeated)
    single = sa.select(*rows.c, sa.literal(1).label(COPY)).where(sa.or_(rows.c.request_id.is_(None), ~among))
    several = sa.select(*rows.c, order.label(COPY)).where(among)
    both = sa.union_all(single, several).subquery("marked")
    return sa.select(*both.c)


def judged(selection: Selection) -> sa.Subquery:
    """The staged rows, each with the reason (`REASON`) it is quarantined for, or `kept`; numbers are numbers here."""
    read_as = {n: sa.column(_alias(selection, n), _TYPES[r]) for n, r in selection.columns.items()}
    staged = sa.table(STAGED, *read_as.values(), sa.column(COPY, sa.Integer))
    whens: list[tuple[sa.ColumnElement[bool], str]] = [
        (sa.or_(staged.c.request_id.is_(None), staged.c.request_id == ""), "request_id_missing"),
        (staged.c.time.is_(None), "time_missing"),
        (~_inside(staged.c.time, selection.window), "outside_night"),
        (staged.c[COPY] > 1, "request_id_duplicated"),
        *[
            (_broken(staged.c[rule.column], rule, selection.columns[rule.column]), rule.reason)
            for rule in selection.rules
        ],
    ]
    columns = [_number(read_as[n], read).label(n) for n, read in selection.columns.items()]
    return sa.select(*columns, sa.case(*whens, else_=KEPT).label(REASON)).subquery("judged")


def counted(selection: Selection, grids: Mapping[str, Grid], slices: Mapping[str, CategoryGrid]) -> Select:
    """Every histogram, over all rows and in every slice, and the rows by reason, in one scan.

    Result columns: `reason`, `s_<n>` per slice, `f_<n>` per counted column (in the order of the mappings),
    `rows_read`, `rows_kept`. In each row either `reason` or exactly one `f_<n>` is set, and at most one
    `s_<n>`; cells are never null, so a null there means "not of this group".
    """
    rows = judged(selection)
    cells = sa.select(
        rows.c[REASON].label("reason"),
        (rows.c[REASON] == KEPT).label("kept"),
        *[grid.cell(rows.c[name]).label(f"s_{n}") for n, (name, grid) in enumerate(slices.items())],
        *[grid.cell(rows.c[name]).label(f"f_{n}") for n, (name, grid) in enumerate(grids.items())],
    ).subquery("cells")
    by_slice = [cells.c[f"s_{n}"] for n in range(len(slices))]
    by_feature = [cells.c[f"f_{n}"] for n in range(len(grids))]
    groups = [sa.tuple_(cells.c.reason), *[sa.tuple_(f) for f in by_feature]]
    groups += [sa.tuple_(s, f) for s in by_slice for f in by_feature]
    kept = sa.func.count().filter(cells.c.kept)
    return sa.select(
        cells.c.reason, *by_slice, *by_feature, sa.func.count().label("rows_read"), kept.label("rows_kept")
    ).group_by(sa.func.grouping_sets(*groups))


def quarantined(selection: Selection, per_reason: int) -> Select:
    """Up to `per_reason` ids of each reason, the same ones on every run: smallest hash first."""
    rows = judged(selection)
    rank = sa.func.dense_rank().over(
        partition_by=rows.c[REASON], order_by=[sa.func.md5(rows.c.request_id), rows.c.request_id]
    )
    ranked = (
        sa.select(rows.c.request_id, rows.c[REASON].label("reason"), rank.label("place"))
        .where(rows.c[REASON] != KEPT)
        .distinct()
    )
    inner = ranked.subquery("ranked")
    some = sa.select(inner.c.reason, inner.c.request_id).where(
        inner.c.place <= per_reason, inner.c.request_id.is_not(None)
    )
    return some.distinct().order_by(inner.c.reason, inner.c.request_id)


def frequent(selection: Selection, columns: tuple[str, ...], most: int) -> Select:
    """The most frequent values of several text columns, in one scan of the kept rows.

    Result columns: `c_<n>` per column, of which exactly one is set in each row (`NULL` stands for null),
    `rows`, and `values_in_all`, how many different values the column has.
    """
    rows = judged(selection)
    texts = [sa.func.coalesce(rows.c[name], NULL).label(f"c_{n}") for n, name in enumerate(columns)]
    kept = sa.select(*texts).where(rows.c[REASON] == KEPT).subquery("kept")
    values = [kept.c[f"c_{n}"] for n in range(len(columns))]
    sets = sa.func.grouping_sets(*[sa.tuple_(value) for value in values])
    each = sa.select(*values, sa.func.count().label("rows")).group_by(sets).subquery("each")
    which = sa.case(*[(each.c[f"c_{n}"].is_not(None), n) for n in range(len(columns))])
    order = [each.c.rows.desc(), *[each.c[f"c_{n}"] for n in range(len(columns))]]
    place = sa.func.row_number().over(partition_by=which, order_by=order)
    in_all = sa.func.count().over(partition_by=which)
    ranked = sa.select(*each.c, place.label("place"), in_all.label("values_in_all")).subquery("ranked")
    out = [ranked.c[f"c_{n}"] for n in range(len(columns))]
    return (
        sa.select(*out, ranked.c.rows, ranked.c.values_in_all)
        .where(ranked.c.place <= most)
        .order_by(ranked.c.place)
    )


def served(selection: Selection, columns: tuple[str, ...]) -> Select:
    """Each combination of some columns (a deployment's, say) with its first request and how many it had."""
    rows = typed(selection).subquery("typed")
    keys = [sa.func.coalesce(rows.c[name], "").label(name) for name in columns]
    first, requests = sa.func.min(rows.c.time).label("first_seen"), sa.func.count().label("requests")
    inside = _inside(rows.c.time, selection.window)
    return sa.select(*keys, first, requests).where(inside).group_by(*keys).order_by(requests.desc(), *keys)


def sampled(selection: Selection, columns: tuple[str, ...], share: float) -> Select:
    """A deterministic share of the kept rows: those whose id's md5 lies below a bound.

    The same hexadecimal digits come from DuckDB, PostgreSQL and Spark.
    """
    rows = judged(selection)
    bound = f"{min(int(share * 16**8), 16**8 - 1):08x}"
    kept = sa.select(*[rows.c[name] for name in columns]).where(rows.c[REASON] == KEPT)
    return kept if share >= 1 else kept.where(sa.func.md5(rows.c.request_id) < bound)


def _crossed(parts: list[sa.ColumnClause[Any]]) -> sa.ColumnElement[Any]:
    """The values of several columns as one text, null where any of them is.

    A part's own `SIGN` becomes `PLAIN`: else `a × b` with `c` would be the same as `a` with `b × c`. So values that
    differ by this sign alone are one value in a cross. On every engine `||` with a null is null.
    """
    first, *rest = [sa.func.replace(sa.cast(part, sa.Text()), SIGN, PLAIN, type_=sa.Text()) for part in parts]
    return functools.reduce(lambda left, right: left.concat(BETWEEN).concat(right), rest, first)


def _alias(selection: Selection, name: str) -> str:
    """What a column is called in the source's own SQL: a cross by its place, since PostgreSQL cuts names at 63 bytes."""
    return f"ronda_cross_{list(selection.crosses).index(name)}" if name in selection.crosses else name


def _repeated(rows: sa.Subquery) -> Select:
    return (
        sa.select(rows.c.request_id)
        .group_by(rows.c.request_id)
        .having(sa.func.count() > 1)
        .where(rows.c.request_id.is_not(None))
    )


def _inside(time: sa.ColumnElement[Any], window: Window) -> sa.ColumnElement[bool]:
    return sa.and_(time >= instant(window.start), time < instant(window.end))


def _sortable(column: sa.ColumnElement[Any], read: Reading) -> sa.ColumnElement[Any]:
    # a database's own collation would choose another copy than DuckDB does
    return column if read in {"number", "time"} else sa.func.md5(column)


def _number(column: sa.ColumnElement[Any], read: Reading) -> sa.ColumnElement[Any]:
    return try_double(column) if read == "parsed" else column


def _broken(column: sa.ColumnElement[Any], rule: Rule, read: Reading) -> sa.ColumnElement[bool]:
    value = _number(column, read)
    if rule.test == "missing":
        return sa.or_(column.is_(None), column == "") if read in {"category", "id"} else column.is_(None)
    if rule.test == "wrong_type":
        return sa.and_(column.is_not(None), value.is_(None))
    if rule.test == "not_allowed":
        assert isinstance(rule.operand, tuple)
        return sa.and_(column.is_not(None), column.not_in(rule.operand))
    assert isinstance(rule.operand, float)
    bound = double(rule.operand)
    if rule.test == "below":
        return value < bound
    # NaN sorts above everything on every engine, but it is a cell of its own and not out of range
    return sa.and_(value > bound, value != double("NaN"))
