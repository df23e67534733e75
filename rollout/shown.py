"""What a retraining came to: a few lines for a task's log, and plain data for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rollout.records import Part, Retrained, Scores

_VERDICT: Mapping[str, str] = {
    "lower_log_loss": "its log loss is lower than that of what was served, and not higher on at least half of the nights",
    "log_loss_not_lower": "its log loss is not lower than that of what was served",
    "superseded": "a model that learnt from as late or later nights was promoted already",
    "worse_on_most_nights": "its log loss is lower over all rows, but higher on more than half of the nights",
    "too_few_nights": "the release holds too few nights to train on some and hold out others",
    "too_few_training_rows": "there are too few rows to train on (enough.rows)",
    "one_class_in_training": "all labels of the training rows are the same",
    "no_predictions": "what serves gave no held-out row a prediction, so there is nothing to compare with",
    "too_few_held_out_rows": "what serves gave too few held-out rows a prediction (enough.rows)",
    "predictions_not_probabilities": "what was served is not between 0 and 1, so it has no log loss to compare with",
    "one_class_held_out": "all labels of the held-out rows are the same",
}
_NAMED = 5
"""Of the versions that are left out, how many a log line names."""
_LINES: Mapping[str, str] = {
    "log loss": "log_loss",
    "Brier score": "brier",
    "ROC AUC": "roc_auc",
    "mean predicted": "mean_predicted",
    "observed rate": "observed_rate",
}


def text(retrained: Retrained) -> str:
    """The verdict, what it stands on, and the scores of both side by side.

    In the table `served` is what was logged, `new` the new model on the same rows; a star marks the nights
    on which the new one is not worse.
    """
    made = retrained
    known = "" if made.is_new else " (decided before, nothing was fitted)"
    done = "promoted" if made.promoted else "not promoted"
    lines = [
        f"Model {made.model_version} of {made.service}, release {made.release_version}: {done}{known}.",
        f"  because    {_VERDICT.get(made.reason, made.reason.replace('_', ' '))}",
        f"  trained    {_part(made.trained)}, by {made.trainer}",
        f"  held out   {_part(made.held_out)}",
    ]
    if made.served_version:
        lines.append(f"  served     {made.served_version}")
    if made.without_prediction:
        lines.append(
            f"  left out   {made.without_prediction:,} held-out rows that were served without a prediction"
        )
    if made.other_versions:
        lines.append(f"  left out   {_others(made.other_versions)}")
    if made.old or made.new:
        lines += _table(made.old, made.new)
    return "\n".join([*lines, f"  file       {made.path or 'none'}"])


def plain(retrained: Retrained) -> dict[str, Any]:
    """The same as plain data, for JSON and task results: no rows, dates and times in ISO form."""
    found = asdict(retrained)
    for name in ("trained", "held_out"):
        part = found[name]
        found[name] = part and part | {end: part[end].isoformat() for end in ("first", "last")}
    return found | {"recorded_at": retrained.recorded_at.isoformat()}


def _part(part: Part | None) -> str:
    if part is None:
        return "nothing"
    nights = f"{part.nights} {'night' if part.nights == 1 else 'nights'}"
    rate = f"{100 * part.positive / part.rows:.1f} %"
    return f"{part.rows:,} rows of {nights}, {part.first} to {part.last}, {rate} positive"


def _others(versions: Mapping[str, int]) -> str:
    """How many rows other versions served, the busiest named first."""
    most = sorted(versions, key=lambda version: (-versions[version], version))
    named = most[0] if len(most) == 1 else ", ".join(f"{each} {versions[each]:,}" for each in most[:_NAMED])
    more = f" and {len(most) - _NAMED} more" if len(most) > _NAMED else ""
    served = "another version" if len(most) == 1 else "other versions"
    return f"{sum(versions.values()):,} held-out rows that {served} served ({named}{more})"


def _table(old: Scores | None, new: Scores | None) -> list[str]:
    some = new or old
    assert some is not None
    rows = [(word, getattr(old, name, None), getattr(new, name, None), "") for word, name in _LINES.items()]
    for night in some.log_loss_by_night:
        before, after = (each.log_loss_by_night.get(night) if each else None for each in (old, new))
        star = " *" if before is not None and after is not None and after <= before else ""
        rows.append((night, before, after, star))
    title = f"  {f'on {some.rows:,} rows':<24}{'served':>8}{'new':>10}"
    lines = [
        f"  {word:<24}{_number(before):>8}{_number(after):>10}{star}" for word, before, after, star in rows
    ]
    return [title, *lines[: len(_LINES)], "  log loss by night", *lines[len(_LINES) :]]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
