"""What is measured, as commands: one file a bench. Each gives its figures, and says whether they hold."""
