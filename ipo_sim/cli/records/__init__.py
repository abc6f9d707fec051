"""`ipo-sim records`: directory, hunt groups, short codes and users as CSV."""
