"""The log that the parts of the speed run share: where it is, and which columns it has."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.home import Home
from services.window import Night, night_of

SERVICE, MODEL_VERSION = "speed_flights", "2013-03-31"
TRAINED, JUDGED = night_of(date(2013, 3, 31), "UTC"), night_of(date(2013, 7, 15), "UTC")
"""One night stands for what the model was trained on, the other is compared with it."""

CATEGORIES = ("carrier", "origin", "dest", "manufacturer", "plane_model", "engine")
WHOLE_NUMBERS = ("distance", "minute_of_day", "seats", "plane_year", "dest_altitude")
DECIMALS = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "visib", "pressure")
FEATURES = (*CATEGORIES, *WHOLE_NUMBERS, *DECIMALS)
"""All judged: no calendar column is among them, which ronda would leave out and a rival would not."""
COLUMNS = ("request_id", "time", "model_version", *FEATURES)


def home_at(root: Path) -> Home:
    """The home of the speed run in a folder: its state and its lake are there too."""
    return Home(root, f"sqlite:///{root / 'ronda.db'}", str(root / "lake"), b"speed run, no user ids here")


def log_file(root: Path, night: Night) -> Path:
    """Where the rows of a night are."""
    return root / "log" / "requests" / f"night={night.name}" / "part-0.parquet"
