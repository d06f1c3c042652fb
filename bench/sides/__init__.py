"""Sides on real fights: our rule beside other methods, on the 511 battles of ten or more kills in three real days.

measure    crossing and cohesion
methods    greedy (zKillboard's), cut, search, agglomerative: each in its own module
planted    fights whose sides are known
fights     the fights that docs/sides.md writes up
"""

from bench.sides.compare import main

__all__ = ["main"]
