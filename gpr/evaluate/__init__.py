"""Split x scorers x metrics -> a table."""
