"""Seeds from what a person types."""

from stylegan_latents.generator.errors import InputError

MOST_SEEDS = 100_000
_LARGEST = 2**63 - 1  # PyTorch takes no larger one


def check_truncation(truncation: float) -> None:
    """Refuse a truncation that no picture can be drawn with.

    Raises:
        InputError: it is no number, or far from what any model was trained for.
    """
    if not -10 <= truncation <= 10:  # false for NaN, too
        raise InputError("--truncation takes a number, usually from 0 (the mean) to 1 (as drawn).")


def parse_seeds(text: str) -> list[int]:
    """Seeds from ``0-15`` or ``3,7,9-12``, in that order, each once.

    Raises:
        InputError: a part is no seed and no range of seeds, or they are more than 100,000.
    """
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(
                f"'{part.strip()}' is no seed: give whole numbers and ranges such as 0-15 or 3,7,9-12."
            )
        start, end = int(first), int(last or first)
        if end < start or end > _LARGEST:
            raise InputError(f"The seeds {part.strip()} are no range: give the smaller number first, below 2**63.")
        if end - start >= MOST_SEEDS:
            raise InputError(f"The range {part.strip()} has more than {MOST_SEEDS} seeds; give fewer.")
        seeds.update(dict.fromkeys(range(start, end + 1)))
    if len(seeds) > MOST_SEEDS:
        raise InputError(f"These are more than {MOST_SEEDS} seeds; give fewer.")
    return list(seeds)
