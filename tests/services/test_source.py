"""Where a log is: variables, Airflow connections, folders; and that no password is shown on the way."""

from __future__ import annotations

import json

import pytest

from services.errors import SourceError
from services.home import Home
from services.model import Service
from services.read import read_service
from services.secret_text import hide_password, secret_in
from services.source import source_url


def with_source(home: Home, source: str) -> Service:
    return read_service("eta", home).model_copy(update={"source": source})


def test_a_variable(home: Home) -> None:
    """${NAME} is the whole URL, from the environment; without it the error names variable and example."""
    service = with_source(home, "${ETA_URL}")
    assert source_url(service, home, {"ETA_URL": "postgresql://u:p@h/d"}) == "postgresql://u:p@h/d"
    for environment in ({}, {"ETA_URL": " "}):
        with pytest.raises(
            SourceError, match=r"eta: .* ETA_URL, which is not set. Set it, for example ETA_URL=/data"
        ):
            source_url(service, home, environment)


def test_folders_are_seen_from_the_home(home: Home) -> None:
    """A relative folder is below the home wherever ronda was started; an absolute one and a URL stay."""
    assert source_url(with_source(home, "var/log"), home, {}) == str(home.root / "var" / "log")
    assert source_url(with_source(home, "${A}"), home, {"A": "var/log"}) == str(home.root / "var" / "log")
    assert source_url(with_source(home, "/data/log"), home, {}) == "/data/log"
    assert source_url(with_source(home, "s3://bucket/log"), home, {}) == "s3://bucket/log"


@pytest.mark.parametrize(
    "written",
    [
        "postgres://ronda:p%40ss%2Fw%23rd@db.example:5433/log?sslmode=require&cursor=dictcursor",
        "postgresql://ronda:p%40ss%2Fw%23rd@db.example:5433/log?__extra__=%7B%22sslmode%22%3A+%22require%22%7D",
        json.dumps({
            "conn_type": "postgres", "login": "ronda", "password": "p@ss/w#rd", "host": "db.example", "port": "5433",
            "schema": "log", "extra": {"sslmode": "require", "iam": False},
        }),
        json.dumps({
            "conn_type": "postgres", "login": "ronda", "password": "p@ss/w#rd", "host": "db.example", "port": 5433,
            "schema": "log", "extra": '{"sslmode": "require"}',
        }),
    ],
)  # fmt: skip
def test_airflow_connections(home: Home, written: str) -> None:
    """Both written forms of an Airflow connection become the same URL; special characters are encoded."""
    service = with_source(home, "airflow:eta_db")
    expected = "postgresql://ronda:p%40ss%2Fw%23rd@db.example:5433/log?sslmode=require"
    assert source_url(service, home, {"AIRFLOW_CONN_ETA_DB": written}) == expected
    assert source_url(service, home, {}, connection={"eta_db": written}.__getitem__) == expected


def test_a_spare_airflow_connection(home: Home) -> None:
    """Host and database are enough; an IPv6 host keeps its brackets."""
    service = with_source(home, "airflow:a")
    assert source_url(service, home, {"AIRFLOW_CONN_A": "postgres://[::1]/log"}) == "postgresql://[::1]/log"


@pytest.mark.parametrize(
    "written", ["postgres://u:hun#ter2@h/d", "{'password': 'hunter2'", "hunter2", '{"port": "hunter2"}']
)
def test_a_broken_airflow_connection_is_not_repeated(home: Home, written: str) -> None:
    """urllib and json quote what they cannot read; the error does not, nor does its chain."""
    with pytest.raises(SourceError, match="is neither a URL nor JSON") as caught:
        source_url(with_source(home, "airflow:a"), home, {"AIRFLOW_CONN_A": written})
    assert "hun" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_airflow_connections(home: Home) -> None:
    """Another type of connection, or none, says what to do instead."""
    service = with_source(home, "airflow:a")
    with pytest.raises(SourceError, match="is of type 'mysql'; only postgres is read"):
        source_url(service, home, {"AIRFLOW_CONN_A": "mysql://u:p@h/d"})
    with pytest.raises(SourceError, match="AIRFLOW_CONN_A, which is not set"):
        source_url(service, home, {})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/d",
        "postgresql://u:hun@h/un/ter2?#@h/d",
        "postgresql://:hunter2@h/d",
        "postgresql://h/d?user=u&password=hunter2",
        "host=h password='hunter2 hunter2'",
        "s3://key:hunter2@bucket/x",
    ],
)
def test_hide_password(url: str) -> None:
    """However it is written, the password goes, and the scheme stays."""
    hidden = hide_password(url)
    assert "hun" not in hidden
    assert "ter2" not in hidden
    assert "***" in hidden
    assert hidden[:4] == url[:4]


@pytest.mark.parametrize(
    "text",
    [
        "/data/log",
        "s3://bucket/log",
        "postgresql://u@h:5432/d",
        "https://pages.example:8443/@u",
        "${URL}",
        "#on-call",
        "10:30@x",
    ],
)
def test_ordinary_text_is_no_secret(text: str) -> None:
    """Folders, URLs without a password, ports and channels pass, and are shown as they are."""
    assert secret_in(text) is None
