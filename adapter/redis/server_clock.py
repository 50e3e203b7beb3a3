"""The wall clock of the Redis server, compared with our own monotonic clock, to notice when it is set. Pure."""

SMALLEST_JUMP_S = 5.0
"""What is less may be a clock that is being adjusted slowly, and harms nothing."""


class ServerClock:
    """Watches the server's clock."""

    def __init__(self) -> None:
        """Begin without having seen it."""
        self._lead_s: tuple[float, float] | None = None

    def look(self, time_s: float, asked_at_s: float, answered_at_s: float) -> float:
        """Note what time it is on the server.

        Args:
            time_s: the server's time, in seconds since the epoch.
            asked_at_s: when it was asked for, by our monotonic clock.
            answered_at_s: when the answer came.

        Returns:
            By how many seconds the clock was set forward, or back if negative, since the look before; 0 if it was not.
        """
        # the server looked at its clock at some moment between question and answer
        least_s, most_s = time_s - answered_at_s, time_s - asked_at_s
        earlier, self._lead_s = self._lead_s, (least_s, most_s)
        if earlier is None:
            return 0.0
        forward_s, back_s = least_s - earlier[1], earlier[0] - most_s
        if forward_s >= SMALLEST_JUMP_S:
            return forward_s
        return -back_s if back_s >= SMALLEST_JUMP_S else 0.0
