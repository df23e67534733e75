"""What to learn: feedback events become outcomes, and outcomes become dataset releases."""
