"""The laptop: everything in one place, with nothing to set up."""
