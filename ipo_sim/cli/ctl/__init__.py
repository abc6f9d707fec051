"""`ipo-sim ctl`, `why`, `what-if`: questions and commands to a unit that runs."""
