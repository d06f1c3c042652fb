"""Every statement of the API. All of it only reads, inside the transaction that `reader.Reader` opened."""
