"""The order that `DataFrame.sample(random_state=42)` gives, in plain Python: numpy's generator, seeded its way."""

import random

_WORDS = 624
_MASK = 0xFFFFFFFF


def shuffle(count: int, seed: int = 42) -> list[int]:
    """Return the numbers below `count` in the order of numpy's `RandomState(seed).permutation(count)`.

    Source: M. Matsumoto and T. Nishimura's init_genrand; numpy's legacy `shuffle` with its masked rejection
    """
    generator = random.Random()  # noqa: S311 - an order to be repeated, nothing to be guessed
    generator.setstate((3, (*_seed_state(seed), _WORDS), None))
    order = list(range(count))
    for place in range(count - 1, 0, -1):
        other = _draw_below(generator, place)
        order[place], order[other] = order[other], order[place]
    return order


def _seed_state(seed: int) -> list[int]:
    state = [seed & _MASK]
    for number in range(1, _WORDS):
        before = state[-1]
        state.append((1812433253 * (before ^ (before >> 30)) + number) & _MASK)
    return state


def _draw_below(generator: random.Random, most: int) -> int:
    mask = (1 << most.bit_length()) - 1
    while (number := generator.getrandbits(32) & mask) > most:
        pass
    return number
