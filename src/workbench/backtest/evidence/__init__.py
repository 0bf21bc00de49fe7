"""Whether a policy earned its place: walk-forward windows, tests against chance, and a verdict by rule."""

__all__: list[str] = []
