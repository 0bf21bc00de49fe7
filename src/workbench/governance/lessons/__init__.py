"""Learning from people: what they decided against the machine, kept as data, counted, and turned into questions."""

__all__: list[str] = []
