"""The parts of the tab Recommend."""
