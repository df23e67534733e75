"""Real public data, turned into the production logs that the demonstration watches."""
