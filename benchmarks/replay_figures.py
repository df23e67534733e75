"""The figures of the benchmark's table, from scored runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from benchmarks.replay_records import EVERYWHERE
from benchmarks.replay_score import Fate, Scored

MONTH = 30.0
CALM = 0.5
"""Where nights differ by at most so many floors ageing of a tenth of a floor a night can be told in time."""
WITHIN, AGEING_WITHIN = 3, 21


def summary(scored: Iterable[Scored]) -> dict[str, float | None]:
    """The figures of the table; None where there is nothing to count.

    `false_pages_per_month` counts false pages on nights that belong to no incident, for every 30 of these nights;
    `false_spells_per_month` counts a run of such nights once; `false_pages_per_month_all` counts every false page, on
    whatever night, for every 30 nights. Nights until something are medians over what was found or paged at all.
    """
    runs = list(scored)
    fates = [fate for each in runs for fate in each.fates]
    large = [fate for fate in fates if fate.incident.floors >= 1]
    sudden = [fate for fate in fates if not fate.incident.ramp]
    critical = [fate for fate in fates if fate.incident.critical]
    ageing = [fate for fate in fates if fate.incident.kind == "ageing"]
    seen = [fate for fate in fates if fate.visible]
    told = [fate for fate in fates if fate.right_slice is not None]
    pages, false = sum(len(each.pages) for each in runs), sum(len(each.false) for each in runs)
    wrong = sum(each.named_wrong for each in runs)
    free, nights = sum(len(each.free) for each in runs), sum(each.nights for each in runs)
    return {
        "false_pages_per_month": _monthly(sum(len(_quiet(each)) for each in runs), free),
        "false_spells_per_month": _monthly(sum(_spells(each) for each in runs), free),
        "false_pages_per_month_all": _monthly(false, nights),
        "pages_per_month": _monthly(pages, nights),
        "precision": (pages - false) / pages if pages else None,
        "precision_first_named": (pages - wrong) / pages if pages else None,
        "recall_visible": _share(fate.paged is not None for fate in seen),
        "recall_all": _share(fate.paged is not None for fate in large),
        "recall_first_named": _share(fate.named_first for fate in large),
        "recall_features": _share(fate.paged is not None for fate in large if fate.feature),
        "recall_critical": _share(fate.paged is not None for fate in critical),
        "judgeable": sum(each.judgeable for each in runs) / len(runs) if runs else None,
        "median_nights_to_finding": _middle(fate.found for fate in sudden),
        "median_nights_to_page": _middle(fate.paged for fate in sudden),
        "p90_nights_to_page": _ninth(fate.paged for fate in sudden),
        "paged_within_3": _share(_by(fate, WITHIN) for fate in large if not fate.incident.ramp),
        "critical_nights_to_page": _middle(fate.paged for fate in critical),
        "slice_at_1": _share(bool(fate.right_slice) for fate in told),
        "slice_at_1_in_slices": _share(
            bool(fate.right_slice) for fate in told if fate.incident.slice != EVERYWHERE
        ),
        "ageing_within_21": _share(_by(fate, AGEING_WITHIN) for fate in ageing if fate.noise_floor <= CALM),
        "ageing_within_21_all": _share(_by(fate, AGEING_WITHIN) for fate in ageing),
        "pages": float(pages),
        "incidents": float(len(fates)),
        "large_incidents": float(len(large)),
        "visible_incidents": float(len(seen)),
        "months": nights / MONTH,
        "free_months": free / MONTH,
    }


def harmless(scored: Iterable[Scored]) -> dict[str, dict[str, int]]:
    """Kind of harmless event -> how many there were, and how many of them somebody was paged for."""
    every = [event for each in scored for event in each.harmless]
    events, paged = Counter(kind for kind, _ in every), Counter(kind for kind, was in every if was)
    return {kind: {"events": events[kind], "paged": paged[kind]} for kind in sorted(events)}


def _quiet(scored: Scored) -> list[int]:
    return [page.place for page in scored.false if page.place in scored.free]


def _spells(scored: Scored) -> int:
    nights = set(_quiet(scored))
    return sum(night - 1 not in nights for night in nights)


def _by(fate: Fate, nights: int) -> bool:
    return fate.paged is not None and fate.paged <= nights


def _monthly(number: int, nights: int) -> float | None:
    return number / nights * MONTH if nights else None


def _share(flags: Iterable[bool]) -> float | None:
    known = list(flags)
    return sum(known) / len(known) if known else None


def _middle(nights: Iterable[int | None]) -> float | None:
    known = [each for each in nights if each is not None]
    return float(median(known)) if known else None


def _ninth(nights: Iterable[int | None]) -> float | None:
    """The 90th percentile, the higher of two neighbours."""
    known: Sequence[int] = [each for each in nights if each is not None]
    return float(np.quantile(known, 0.9, method="higher")) if known else None
