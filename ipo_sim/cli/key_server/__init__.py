"""`ipo-sim key-server`: a feature key server for IP400 units, and its clients."""
