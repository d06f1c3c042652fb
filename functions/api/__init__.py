"""From PostgreSQL to programs and people."""
