"""`ipo-sim card`: readers, and feature key cards in them."""
