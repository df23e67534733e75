"""The arguments and options that several commands share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="A service file's name, without .yaml.")]
First = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First night, such as 2013-06-01.")
]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last night, included.")]
Day = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The night, such as 2013-06-24.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of text.")]
Backtest = Annotated[
    bool,
    typer.Option(
        "--backtest", help="Replay the stored nights instead: what would have been said, and missed."
    ),
]
