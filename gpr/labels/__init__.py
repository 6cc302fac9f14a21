"""What annotators say of recommendations: kept, taken back, counted and exported. Knows nothing of models."""
