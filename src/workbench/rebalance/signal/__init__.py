"""The signal package: a proposal as canonical JSON, named by its hash, verified when it is read."""
