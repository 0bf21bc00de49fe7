"""The checks rules are made of, by name; one file a family."""

__all__: list[str] = []
