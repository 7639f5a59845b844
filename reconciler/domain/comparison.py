"""Values of which some fields do not count when two are compared, such as the place where they were written."""

import msgspec


class ComparedInPart(msgspec.Struct, frozen=True, eq=False):
    """A value that equals another when what `compared` returns is equal.

    A struct brings its own `!=`, so all three comparisons are defined together.
    """

    def compared(self) -> object:
        """Return what decides whether two values are equal."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.compared() == other.compared()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.compared())
