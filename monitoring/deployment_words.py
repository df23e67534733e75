"""A deployment in words: what served, since when, and by whom."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import DeploymentLine, NightPage
from monitoring.text import say, short

_PARTS = ("model_version", "prompt_version", "adapter", "variant")


def began(line: DeploymentLine, page: NightPage) -> datetime:
    """When it went live, in the service's time zone."""
    return datetime.fromisoformat(line.started_at).astimezone(ZoneInfo(page.time_zone))


def version(line: DeploymentLine, language: str, *, brief: bool) -> str:
    """What served: of one that is not in question the model and prompt suffice, of another each part is named."""
    parts = {name: getattr(line, name) for name in _PARTS} | {"commit_sha": line.commit_sha[:10]}
    if brief and any(parts[name] for name in _PARTS[:2]):
        parts = {name: parts[name] for name in _PARTS[:2]}
    told = [f"{say(language, f'deployment.{name}')} {short(part)}" for name, part in parts.items() if part]
    return ", ".join(told)


def people(line: DeploymentLine, language: str) -> str:
    """Who made and approved it, in brackets; empty where nobody is known."""
    known = (("author", line.author), ("approved_by", line.approved_by))
    told = [f"{say(language, f'deployment.{name}')} {short(who)}" for name, who in known if who]
    return f" ({', '.join(told)})" if told else ""
