"""Tables in, a checked and split Dataset out. Knows nothing of models."""
