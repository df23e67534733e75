"""The face of ronda: its command line."""
