"""What is served: a release becomes a model, which replaces the one that serves only where it is better."""
