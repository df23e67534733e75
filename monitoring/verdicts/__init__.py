"""The method: from counts of many nights to verdicts, as arrays. See `docs/verdicts.md`."""
