"""The schema of a deployment's database."""
