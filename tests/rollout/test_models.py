"""The table of models: recorded once, on both kinds of state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store.deployments import DeploymentRow, see_deployments
from store.models import ModelRow, model_of, model_of_release, models_of, record_model
from store.references import ReferenceRow, add_reference, reference_for
from store.rows import Recorded
from store.state import reading, writing

NOW = datetime(2013, 8, 1, tzinfo=UTC)
MODEL = ModelRow(
    "flight_delay", "2013-06-01-a665e9b8", "a665e9b82de9c5b0", "demo.flight_trainer:fit", "models/m", "sha", "{}",
    "lower_log_loss", promoted=True, recorded_at=NOW,
)  # fmt: skip


def test_a_model_is_recorded_once(state: sa.Engine) -> None:
    """The same again writes nothing, whenever that is; versions and services stand apart."""
    refused = replace(MODEL, model_version="2013-05-24-4ff28b5a", release_version="4ff28b5a", promoted=False)
    with writing(state) as connection:
        assert record_model(connection, MODEL) == Recorded(1, 1, is_new=True)
        again = replace(MODEL, recorded_at=NOW + timedelta(days=9))
        assert record_model(connection, again) == Recorded(1, 1, is_new=False)
        assert record_model(connection, refused).is_new
        assert record_model(connection, replace(MODEL, service="eta")).is_new
    with reading(state) as connection:
        first, second = models_of(connection, "flight_delay")
        assert first == replace(MODEL, id=1)
        assert second == replace(refused, id=second.id)
        assert model_of(connection, "flight_delay", MODEL.model_version) == first
        assert model_of_release(connection, "flight_delay", "4ff28b5a") == second
        assert model_of(connection, "flight_delay", "none") is None
        assert model_of_release(connection, "eta", "4ff28b5a") is None
        assert models_of(connection, "other") == []


@pytest.mark.parametrize(
    "change",
    [
        {"content_sha": "other"}, {"release_version": "other"}, {"trainer": "a:b"}, {"path": "other"},
        {"scores": "[]"}, {"reason": "other"}, {"promoted": False},
    ],
)  # fmt: skip
def test_a_model_never_changes(state: sa.Engine, change: dict[str, object]) -> None:
    """Other content under the same version is refused, and the first stays."""
    with writing(state) as connection:
        record_model(connection, MODEL)
    with pytest.raises(StateError) as refused, writing(state) as connection:
        record_model(connection, replace(MODEL, **change))  # type: ignore[arg-type]  # fields of several types

    assert "service flight_delay, model 2013-06-01-a665e9b8 exists already with other content" in str(
        refused.value
    )
    assert "of release a665e9b82de9c5b0, file sha256 sha" in str(refused.value)
    with reading(state) as connection:
        assert models_of(connection, "flight_delay") == [replace(MODEL, id=1)]


def test_a_promoted_model_is_compared_with_once_it_serves(state: sa.Engine) -> None:
    """A night of another version, or of none, keeps its reference until the log shows the new model."""

    def reference(version: str) -> ReferenceRow:
        return ReferenceRow("flight_delay", version, version, "training", NOW, NOW, 1, 1, "p", "{}", NOW)

    def compared(version: str, until: datetime) -> str:
        with reading(state) as connection:
            row = reference_for(connection, "flight_delay", version, until)
        return row.model_version if row else ""

    later = NOW + timedelta(days=1)
    assert compared("", NOW) == ""
    with writing(state) as connection:
        record_model(connection, MODEL)
        add_reference(connection, reference(MODEL.model_version))
    assert compared("", NOW) == MODEL.model_version  # there is no other
    with writing(state) as connection:
        add_reference(connection, reference("v1"))
        add_reference(connection, reference("2013-05-01-of-another-hand"))
        record_model(connection, replace(MODEL, model_version="new", release_version="new"))
        add_reference(connection, reference("new"))
        see_deployments(connection, [DeploymentRow("flight_delay", NOW, "deploy", model_version="new")])
    assert compared("", later) == compared("v9", later) == "2013-05-01-of-another-hand"
    assert (compared("v1", later), compared("new", later)) == ("v1", "new")

    with writing(state) as connection:
        see_deployments(connection, [DeploymentRow("flight_delay", NOW, model_version="new")])
    assert (compared("", later), compared("", NOW)) == ("new", "2013-05-01-of-another-hand")
