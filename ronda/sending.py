"""Sending what is due: for the command line, and as a task in Airflow, where every delivery is a line of its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitoring import copies
from monitoring.alert import Deliveries, Delivery, deliver
from monitoring.enqueue import follow, mornings
from monitoring.week import weeks
from ronda.nights import index_of
from ronda.roster import services_on_watch
from services.errors import ServiceFileError
from services.home import Home, home_from
from services.model import Service
from store.lake import Lake, open_lake
from store.state import State, open_state

_SHOWN = 20  # lines of what became of messages; the rest is counted


def send(state: State, lake: Lake, home: Home, clock: Callable[[], datetime]) -> Deliveries:
    """Gather what waited for a morning, or a Monday, that has come, then send all messages that are due.

    What nobody got yet goes where the service files of today say, so that a channel is mended by its file alone.

    Raises:
        StateError: state or lake fail. What Slack does is told, and never raised.
    """
    now = clock()
    services = list(_readable(home))
    gone = follow(state, services, now)
    mornings(state, now)
    gone += weeks(state, services, now).gone
    for each in gone:
        copies.remove(home, each)
    return deliver(state, lake, home, clock)


def _readable(home: Home) -> Iterable[Service]:
    try:
        return services_on_watch(home)[0].values()
    except ServiceFileError:  # the watch over the nights tells it; what is due is sent as it stands
        return ()


def send_due(clock: Callable[[], datetime]) -> dict[str, int]:
    """Send what is due, print what became of each message, and count them by it.

    The index is written last, since it names the messages that did not arrive.

    Raises:
        RondaError: state or lake cannot be opened.
    """
    home = home_from()
    state, lake = open_state(home.state_url), open_lake(home.lake_url)
    done = send(state, lake, home, clock)
    for line in lines(done):
        print(line)
    index_of(home, state, lake)
    return dict(Counter(each.state for each in done))


def lines(done: Deliveries) -> Iterator[str]:
    """What became of the messages, a line each, those that did not arrive first."""
    if done.busy:
        yield "Another process is sending, and takes what is due."
    arrived = {"sent", "written"}
    ordered = sorted(done, key=lambda each: each.state in arrived)
    for each in ordered[:_SHOWN]:
        yield ": ".join(word for word in (_STATES[each.state], each.key, each.place, each.error) if word)
    rest = Counter(_STATES[each.state] for each in ordered[_SHOWN:])
    if rest:
        yield "and " + ", ".join(f"{number} {state}" for state, number in rest.items())


_STATES = {
    "sent": "Message sent",
    "written": "Message written, no token is set",
    "waiting": "Message waits",
    "sending": "Message is being sent",
    "unknown": "Message may have arrived",
    "held": "Message held",
    "refused": "Message refused",
}


def plain(done: Iterable[Delivery]) -> list[dict[str, Any]]:
    """What became of the messages, for machines."""
    return [asdict(each) for each in done]
