"""Formulas over scores: names, numbers, + - * / ^, and a few functions. Read once, then only arithmetic is left."""

import ast
import math
from collections.abc import Callable, Collection, Mapping

import msgspec

LONGEST = 4096
DEEPEST = 100
"""The number of operations within operations. To read and to compute a deep one would need as deep a stack."""

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
_MANY = frozenset({"min", "max"})
_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    # Floats only, so that no power can grow beyond one number.
    ast.Pow: math.pow,
}


class FormulaError(ValueError):
    """A formula that cannot be read, or that has no value for these scores."""


class Formula(msgspec.Struct, frozen=True):
    """A formula whose every part was found to be arithmetic."""

    tree: ast.expr

    def value(self, scores: Mapping[str, float]) -> float:
        """Return the value for these scores.

        Raises: FormulaError when it divides by zero or has no finite value
        """
        try:
            found = _value(self.tree, scores)
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"it has no value for these scores: {error}") from error
        if not math.isfinite(found):
            raise FormulaError("it has no finite value for these scores")
        return found


def read_formula(text: str, names: Collection[str]) -> Formula:
    """Read a formula that may use these names.

    Raises: FormulaError
    """
    if len(text) > LONGEST:
        raise FormulaError(f"it is longer than {LONGEST} characters")
    if "**" in text:
        raise FormulaError("a power is written with '^'")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        _check(tree, frozenset(names), DEEPEST)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, FormulaError):
            raise
        raise FormulaError(f"it cannot be read: {error}") from error
    return Formula(tree)


def _check(node: ast.expr, names: frozenset[str], depth: int) -> None:
    if not depth:
        raise FormulaError(f"it has more than {DEEPEST} operations within each other")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            float(value) if abs(value) < 1e300 else _refuse("it has a number beyond all measure")
        case ast.Name(id=name):
            if name not in names:
                raise FormulaError(f"it names '{name}', which is none of {sorted(names)}")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, names, depth - 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, names, depth - 1)
            _check(right, names, depth - 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            if len(args) < 1 or (len(args) > 1 and name not in _MANY):
                raise FormulaError(f"'{name}' is given {len(args)} values")
            for each in args:
                _check(each, names, depth - 1)
        case _:
            raise FormulaError("only names, numbers, + - * / ^ and " + ", ".join(sorted(_FUNCTIONS)) + " are allowed")


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return scores[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, scores)
        case ast.UnaryOp(operand=operand):
            return _value(operand, scores)
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, scores), _value(right, scores))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(each, scores) for each in args]
            return values[0] if name in _MANY and len(values) == 1 else float(_FUNCTIONS[name](*values))
    raise AssertionError(f"{ast.dump(node)} was let through")


def _refuse(what: str) -> None:
    raise FormulaError(what)
