"""Scorers: anything that gives every item of the catalogue a log-score for each request, and their pool."""
