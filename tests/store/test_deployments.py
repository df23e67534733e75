"""Deployments: one row for what the log shows, one for each that is announced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from store.deployments import DeploymentRow, deployments_of, see_deployments
from store.state import writing

START = datetime(2013, 1, 1, 5, tzinfo=UTC)
NOW = datetime(2013, 7, 2, 3, tzinfo=UTC)


def test_a_logged_deployment_starts_at_its_earliest_request(state: sa.Engine) -> None:
    """One row whatever order the nights are run in; a later sighting writes nothing."""
    seen = DeploymentRow("flight_delay", NOW, model_version="v1", commit_sha="c0ffee", author="ana")
    earlier, later = replace(seen, started_at=START), replace(seen, started_at=NOW + timedelta(days=9))
    with writing(state) as connection:
        assert see_deployments(connection, [seen]) == [seen]
        assert see_deployments(connection, [seen, later]) == []
        assert see_deployments(connection, [earlier]) == [earlier]
        assert see_deployments(connection, [later, seen]) == []
        assert deployments_of(connection, "flight_delay") == [replace(earlier, id=1)]


def test_what_tells_deployments_apart(state: sa.Engine) -> None:
    """Each of the five, and the service; a shared row for an empty log."""
    plain = DeploymentRow("flight_delay", NOW)
    names = ("service", "model_version", "prompt_version", "adapter", "variant", "commit_sha")
    others = [replace(plain, **{name: "x"}) for name in names]  # type: ignore[arg-type]  # names of text fields
    with writing(state) as connection:
        assert see_deployments(connection, [plain, *others]) == [plain, *others]
        assert see_deployments(connection, [*others, plain]) == []
        assert len(deployments_of(connection, "flight_delay")) == 6


def test_an_announced_deployment_may_come_again(state: sa.Engine) -> None:
    """A rollback deploys the same thing at another time; beside it stands what the log shows."""
    announced = DeploymentRow(
        "flight_delay", START, "deploy", model_version="v1", approved_by="bia", share=0.1
    )
    rollback, logged = replace(announced, started_at=NOW), replace(announced, source="log")
    with writing(state) as connection:
        assert see_deployments(connection, [announced, rollback, logged]) == [announced, rollback, logged]
        assert see_deployments(connection, [rollback, announced, logged]) == []
        found = deployments_of(connection, "flight_delay")

    assert [(row.started_at, row.source) for row in found] == [
        (START, "deploy"),
        (START, "log"),
        (NOW, "deploy"),
    ]
    assert found[0] == replace(announced, id=found[0].id)
