"""The tab Evaluate: how good what recommends is, on the test split, beside simple methods."""
