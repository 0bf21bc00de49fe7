"""What a new version of a model would do to the accounts on it: conflicts, trades, gains."""
