"""`ipo-sim journal`: what happened, read, compared, taken back, sent on."""
