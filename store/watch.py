"""One service under watch: its file, and the doors to its source, the state and the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from services.home import Home
from services.model import Service
from services.read import Query as QueryName
from services.read import read_guard, read_query, read_service
from services.source import source_url
from services.window import Window
from store.lake import Lake, open_lake
from store.query import FEEDBACK, GUARD, REQUESTS, TRAINING, Query, filled
from store.source import Source, open_source
from store.state import open_state

_FILES: Mapping[str, QueryName] = {REQUESTS: "requests", FEEDBACK: "feedback", TRAINING: "training"}


@dataclass(frozen=True)
class Watch:
    """What every step of a round needs to know of the service it works for."""

    service: Service
    home: Home
    state: sa.Engine
    lake: Lake
    url: str = field(repr=False)  # may hold a password

    @contextmanager
    def source(self, windows: Mapping[str, Window]) -> Iterator[Source]:
        """The service's source with a view for each name in `windows`, filled in for its nights.

        Raises:
            ServiceFileError: a query file is missing.
            SourceError: the source cannot be reached, or refuses a query.
        """
        with self._opened({view: self._query(view, window) for view, window in windows.items()}) as source:
            yield source

    @contextmanager
    def guard(self, name: str, window: Window) -> Iterator[Source]:
        """The service's source with one guard's query as the view `GUARD`, filled in for some nights.

        Raises:
            ServiceFileError: there is no such guard, or its query file is missing.
            SourceError: the source cannot be reached, or refuses the query.
        """
        text = read_guard(self.service, self.home, name)
        file = f"{self.service.guards[name].query} (guard {name})"
        with self._opened({GUARD: filled(text, window, file)}) as source:
            yield source

    @contextmanager
    def _opened(self, queries: Mapping[str, Query]) -> Iterator[Source]:
        source = open_source(self.service.service, self.url, queries)
        try:
            yield source
        finally:
            source.close()

    def _query(self, view: str, window: Window) -> Query:
        which = _FILES[view]
        file = str(getattr(self.service, which))
        return filled(read_query(self.service, self.home, which), window, file)


def open_watch(name: str, home: Home, connection: Callable[[str], str] | None = None) -> Watch:
    """Read a service file and open what it needs. The state is brought up to date first.

    Args:
        connection: gives the URL of one of Airflow's connections, for `source: airflow:ID`.

    Raises:
        ServiceFileError: the service file is wrong.
        SourceError: its source is named by a variable that is not set.
        StateError: state or lake cannot be opened.
    """
    service = read_service(name, home)
    return watch_over(service, home, open_state(home.state_url), connection)


def watch_over(
    service: Service, home: Home, state: sa.Engine, connection: Callable[[str], str] | None = None
) -> Watch:
    """As `open_watch`, for a service whose file is read and a state that is open.

    Raises:
        SourceError: the service's source is named by a variable that is not set.
        StateError: the lake cannot be opened.
    """
    url = source_url(service, home, connection=connection)
    return Watch(service, home, state, open_lake(home.lake_url), url)
