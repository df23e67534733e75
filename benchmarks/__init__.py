"""What ronda costs and finds, measured beside its rivals in the same run."""
