"""What could go wrong: risk split by its sources, stress, a score against each client's tolerance, early warnings."""

__all__: list[str] = []
