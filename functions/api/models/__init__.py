"""What the API answers. Times are UTC with a Z, ISK is whole ISK, and every id has its name beside it.

An id whose name is not known yet stands as its number in the place of the name. Answers are typed dictionaries: they
hold what a strict schema in the database has checked already, and pydantic writes them as JSON in a fifth of the
time that models take.
"""
