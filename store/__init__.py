"""Where it is kept: sources are opened and counted here, state and lake are written here."""
