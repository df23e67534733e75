"""What changed: a night's counts are compared with the reference, judged, and told on a page."""
