"""`ipo-sim scenario` and `faults`: timelines with expectations, and what they can break."""
