"""Against what a finding moved, and against what it did not: the pattern that names what happened."""

from __future__ import annotations

from monitoring.records import Finding
from monitoring.standing import times_floor


def pattern(finding: Finding) -> str:
    """Against what a finding moved, and against what it did not, in one word; empty where too few nights are known.

    `release`: another since a deployment, and not on its eves; `before`: on its eves as well, which one night did not show;
    `jump`: unlike the last nights of its kind and the night before; `break`: unlike
    the first of these; `week`: only its last week is; `ageing`: like them, but its last week has left the reference;
    `season`: nothing moved, and one night alone is far from the reference, as nights of its kind are; `weekday`: from the
    night before as well.
    """
    tests, jumped = set(finding.against) - {"eve", "night"}, "night" in finding.against
    if not tests:
        far = finding.verdict == "stable" and finding.visible is not None and times_floor(finding) >= 1
        return ("weekday" if jumped else "season") if far else ""
    if "eve" in finding.against:
        return "release"
    if "usual" in tests:
        return "jump" if jumped else "break"
    if "week" in tests:
        return "week"
    return "before" if "deployment" in tests else "ageing"
