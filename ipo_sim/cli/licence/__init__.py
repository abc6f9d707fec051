"""`ipo-sim licence`: bench keys, the licence form, what to buy, imports and exports."""
