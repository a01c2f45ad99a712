"""One seed becomes many: each use draws its own by hashing, so that no use can shift another's numbers."""

import hashlib


def derived(seed: int, *path: str | int) -> int:
    """Return a 63-bit seed for one use, e.g. `derived(seed, "epoch", 3)`.

    Source: the hash construction of `numpy.random.SeedSequence.spawn`, here with BLAKE2b so that any path serves.
    """
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
