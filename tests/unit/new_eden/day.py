"""The day that these tests look at."""

from battlescope_local.new_eden import START

FIRST = START // 3600 // 24 * 24
"""An hour at the start of a day."""
