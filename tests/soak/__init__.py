"""A long run of the whole system under faults, compared with a quiet one."""
