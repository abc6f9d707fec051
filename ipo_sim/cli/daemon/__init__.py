"""`ipo-sim run`: the daemon put together, and what it shows of itself."""
