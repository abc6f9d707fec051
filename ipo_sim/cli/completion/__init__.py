"""`ipo-sim completion`: what shells ask when somebody presses TAB, and the scripts that make them ask."""
