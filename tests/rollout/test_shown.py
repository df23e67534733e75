"""What an engineer reads of a retraining in a task's log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from rollout import shown
from rollout.records import Part, Retrained, Scores

ROOT = Path(__file__).resolve().parents[2]
OLD = Scores(
    6242, 2, 970, 0.41697, 0.12768, 0.65225, 0.19067, 0.15540, {"2013-05-30": 0.4673, "2013-05-31": 0.3879}
)
NEW = Scores(
    6242, 2, 970, 0.44919, 0.14154, 0.67542, 0.26718, 0.15540, {"2013-05-30": 0.4523, "2013-05-31": 0.5275}
)
MADE = Retrained(
    service="flight_delay",
    release_version="4ff28b5aa739d9ac",
    model_version="2013-05-24-4ff28b5a",
    trainer="demo.flight_trainer:fit",
    promoted=False,
    reason="log_loss_not_lower",
    trained=Part(date(2013, 4, 20), date(2013, 5, 24), 35, 31_873, 8_369),
    held_out=Part(date(2013, 5, 30), date(2013, 5, 31), 2, 6_251, 971),
    without_prediction=9,
    served_version="v2",
    other_versions={"v1": 1_234},
    old=OLD,
    new=NEW,
    path="models/flight_delay/2013-05-24-4ff28b5a/ef94/model.skops",
    content_sha="ef94",
    recorded_at=datetime(2013, 8, 1, tzinfo=UTC),
    is_new=True,
)
TEXT = """\
Model 2013-05-24-4ff28b5a of flight_delay, release 4ff28b5aa739d9ac: not promoted.
  because    its log loss is not lower than that of what was served
  trained    31,873 rows of 35 nights, 2013-04-20 to 2013-05-24, 26.3 % positive, by demo.flight_trainer:fit
  held out   6,251 rows of 2 nights, 2013-05-30 to 2013-05-31, 15.5 % positive
  served     v2
  left out   9 held-out rows that were served without a prediction
  left out   1,234 held-out rows that another version served (v1)
  on 6,242 rows             served       new
  log loss                  0.4170    0.4492
  Brier score               0.1277    0.1415
  ROC AUC                   0.6522    0.6754
  mean predicted            0.1907    0.2672
  observed rate             0.1554    0.1554
  log loss by night
  2013-05-30                0.4673    0.4523 *
  2013-05-31                0.3879    0.5275
  file       models/flight_delay/2013-05-24-4ff28b5a/ef94/model.skops"""


def test_the_text() -> None:
    """Verdict, reason, what it stands on, and both models side by side."""
    assert shown.text(MADE) == TEXT


def test_a_second_run_says_so() -> None:
    """A promotion of long ago is not taken for a new one."""
    first = shown.text(replace(MADE, is_new=False, promoted=True)).splitlines()[0]

    assert first == (
        "Model 2013-05-24-4ff28b5a of flight_delay, release 4ff28b5aa739d9ac: promoted (decided before, nothing was "
        "fitted)."
    )


def test_without_scores() -> None:
    """No table where nothing was scored, and a dash for what has no score."""
    bare = replace(
        MADE, reason="too_few_nights", trained=None, old=None, new=None, path="", without_prediction=0,
        served_version="", other_versions={},
    )  # fmt: skip
    assert shown.text(bare).splitlines()[1:] == [
        "  because    the release holds too few nights to train on some and hold out others",
        "  trained    nothing, by demo.flight_trainer:fit",
        "  held out   6,251 rows of 2 nights, 2013-05-30 to 2013-05-31, 15.5 % positive",
        "  file       none",
    ]
    half = shown.text(replace(MADE, old=None, new=replace(NEW, roc_auc=None)))
    assert f"  log loss{'–':>24}    0.4492\n" in half
    assert f"  ROC AUC {'–':>24}         –\n" in half
    assert "*" not in half


def test_many_other_versions() -> None:
    """The busiest five are named, the others counted."""
    two = shown.text(replace(MADE, other_versions={"unknown": 4, "v1": 1_230}))
    assert "  left out   1,234 held-out rows that other versions served (v1 1,230, unknown 4)\n" in two
    many = shown.text(replace(MADE, other_versions={f"v{n}": n for n in range(1, 8)}))
    assert (
        "  left out   28 held-out rows that other versions served (v7 7, v6 6, v5 5, v4 4, v3 3 and 2 more)\n"
        in many
    )


def test_plain_is_json() -> None:
    """All of it, dates in ISO form; a task may return it."""
    plain = json.loads(json.dumps(shown.plain(MADE)))

    assert set(plain) == set(vars(MADE))
    assert (plain["served_version"], plain["other_versions"]) == ("v2", {"v1": 1234})
    assert plain["trained"] == {
        "first": "2013-04-20",
        "last": "2013-05-24",
        "nights": 35,
        "rows": 31873,
        "positive": 8369,
    }
    assert plain["new"]["log_loss_by_night"] == dict(NEW.log_loss_by_night)
    assert plain["recorded_at"] == "2013-08-01T00:00:00+00:00"
    assert shown.plain(replace(MADE, trained=None, old=None))["trained"] is None


def test_every_reason_has_its_words() -> None:
    """What the rule can say, the log and the documentation explain."""
    rule = (ROOT / "rollout" / "scores.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r"^    - `(\w+)`:", rule, re.MULTILINE)) | {"lower_log_loss", "superseded"}
    documented = set(
        re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "retraining.md").read_text("utf-8"), re.MULTILINE)
    )

    assert len(reasons) == 11
    assert set(shown._VERDICT) == reasons
    assert documented == reasons - {"lower_log_loss"}
