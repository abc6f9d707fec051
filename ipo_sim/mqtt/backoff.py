"""How long to wait before the next try."""

from __future__ import annotations

import random

BASE_S = 0.25
CAP_S = 30.0


class Backoff:
    """Full jitter: each wait is drawn between nothing and a bound that doubles with every failure up to `cap_s`.

    The seed makes a run repeatable and keeps units that lost the same broker from coming back in step.
    """

    def __init__(self, seed: str, *, base_s: float = BASE_S, cap_s: float = CAP_S) -> None:
        self._random = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._base_s = base_s
        self._cap_s = cap_s
        self.failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        bound = min(self._cap_s, self._base_s * 2.0 ** min(self.failures, 62))
        self.failures += 1
        return self._random.uniform(0.0, bound)

    def reset(self) -> None:
        """All is well again."""
        self.failures = 0
