"""From the queue to battles in PostgreSQL."""
