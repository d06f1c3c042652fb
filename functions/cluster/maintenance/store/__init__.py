"""Every statement of upkeep."""
