"""The road graph of a view: which lane a position is on, what lies ahead, and measures along lines."""
