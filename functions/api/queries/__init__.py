"""Every statement of the API. All of it only reads, inside the transaction that `reader.Reader` opened.

`OFFSET 0` keeps a subquery what it is: PostgreSQL would turn it into a join, and join all before it sorts.
"""
