"""The tab Data, a piece a file."""
