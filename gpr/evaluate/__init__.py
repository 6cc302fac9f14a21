"""Split x scorers x metrics -> a table."""

VERSION = 5
"""Of what an evaluation finds: to be raised whenever a peer, a metric or the protocol changes."""
