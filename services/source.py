"""Where a service's log is: the `source` of its file, resolved to one URL. The URL may hold a password."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from services.errors import SourceError
from services.home import Home
from services.model import Service

_POSTGRES = {"postgres", "postgresql"}
# What Airflow's own PostgreSQL hook keeps from the driver; libpq refuses words it does not know.
_AIRFLOW_ONLY = {
    "iam", "redshift", "redshift-serverless", "cursor", "cluster-identifier", "workgroup-name", "aws_conn_id",
    "azure_conn_id", "sqlalchemy_scheme", "sqlalchemy_query", "__extra__",
}  # fmt: skip


@dataclass(frozen=True)
class _Connection:
    """An Airflow connection, read from either of its two written forms."""

    kind: str
    host: str
    port: int | None
    database: str
    login: str
    password: str = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)


def source_url(
    service: Service,
    home: Home,
    environment: Mapping[str, str] | None = None,
    connection: Callable[[str], str] | None = None,
) -> str:
    """The URL, or the absolute path, of the service's log. Never log it as it is: see `hide_password`.

    `${NAME}` is taken from the environment. `airflow:ID` is Airflow's connection of that id, as a URL: from
    `connection` (which dags pass in) or else from the variable `AIRFLOW_CONN_<ID>`, in its URL or JSON form.
    Anything without a scheme is a path, seen from the home.

    Raises:
        SourceError: the variable is not set, or its connection cannot be read or is not PostgreSQL's.
    """
    env = os.environ if environment is None else environment
    written = service.source
    if written.startswith("${"):
        written = _variable(
            env, written[2:-1], service, "/data/logs or postgresql://user:password@host:5432/database"
        )
    if written.startswith("airflow:"):
        return _airflow_url(written.removeprefix("airflow:"), service, env, connection)
    if "://" in written:
        return written
    return str(home.root / Path(written).expanduser())


def _variable(env: Mapping[str, str], name: str, service: Service, example: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SourceError(
            f"{service.service}: its source is in the environment variable {name}, which is not set. "
            f"Set it, for example {name}={example}"
        )
    return value


def _airflow_url(
    name: str, service: Service, env: Mapping[str, str], connection: Callable[[str], str] | None
) -> str:
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = (
        connection(name)
        if connection
        else _variable(env, variable, service, "postgres://user:password@host:5432/database")
    )
    try:
        parsed = _from_json(text) if text.lstrip().startswith("{") else _from_url(text)
    except (ValueError, TypeError):  # their messages quote the text, which holds a password
        raise SourceError(
            f"{service.service}: the Airflow connection {name} ({variable}) is neither a URL nor JSON that can be read. "
            f"Percent-encode special characters in its password."
        ) from None
    if parsed.kind not in _POSTGRES:
        raise SourceError(
            f"{service.service}: the Airflow connection {name} is of type {parsed.kind[:40]!r}; only postgres is read. "
            f"For another database put its URL into an environment variable and write source: ${{NAME}}."
        )
    return _libpq_url(parsed)


def _from_url(text: str) -> _Connection:
    parts = urlsplit(text)
    if not parts.scheme or "://" not in text:
        raise ValueError("no scheme")
    extra: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra |= json.loads(extra.get("__extra__") or "{}")
    return _Connection(
        kind=parts.scheme.lower(),
        host=unquote(parts.hostname or ""),
        port=parts.port,
        database=unquote(parts.path.removeprefix("/")),
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        extra=extra,
    )


def _from_json(text: str) -> _Connection:
    data = json.loads(text)
    extra = data.get("extra") or {}
    return _Connection(
        kind=str(data.get("conn_type", "")).lower(),
        host=str(data.get("host") or ""),
        port=int(data["port"]) if data.get("port") else None,
        database=str(data.get("schema") or ""),
        login=str(data.get("login") or ""),
        password=str(data.get("password") or ""),
        extra=dict(json.loads(extra) if isinstance(extra, str) else extra),
    )


def _libpq_url(parsed: _Connection) -> str:
    login = quote(parsed.login, safe="") + (f":{quote(parsed.password, safe='')}" if parsed.password else "")
    host = f"[{parsed.host}]" if ":" in parsed.host else quote(parsed.host, safe=",.-_~")
    port = f":{parsed.port}" if parsed.port else ""
    options = {key: value for key, value in parsed.extra.items() if key not in _AIRFLOW_ONLY}
    # libpq decodes %20 but keeps + as it is, hence quote and not quote_plus.
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{login}{'@' if login else ''}{host}{port}/{quote(parsed.database, safe='')}{query}"
