"""A calculation that a phone makes by chance, with the chance written in."""

from __future__ import annotations

from random import Random
from uuid import UUID

from dialogkit.logic.parse import Number, Text
from dialogkit.logic.tree import Function, Minus, Operation, Tree


def by_chance(tree: Tree, rng: Random) -> Tree:
    """The tree with a number for each `random()`, an id for `uuid()`, and without `once`: it is calculated once."""
    found: Tree = tree
    match tree:
        case Function("random", ()):
            found = Number(f"{rng.random():.9f}")
        case Function("uuid", _):
            found = Text(str(UUID(int=rng.getrandbits(128), version=4)))
        case Function("once", (inside,)):
            found = by_chance(inside, rng)
        case Function(name, arguments):
            found = Function(name, tuple(by_chance(one, rng) for one in arguments))
        case Operation(sign, left, right):
            found = Operation(sign, by_chance(left, rng), by_chance(right, rng))
        case Minus(of):
            found = Minus(by_chance(of, rng))
    return found
