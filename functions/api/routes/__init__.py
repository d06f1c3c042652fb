"""The endpoints: each parses what is asked, reads it and answers."""
