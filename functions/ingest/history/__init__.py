"""Whole days of history: where they come from, what is in them, and what of them we hold."""
