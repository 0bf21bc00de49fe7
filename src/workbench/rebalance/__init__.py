"""From drift to a proposal a person can release: whole households, every lot, every registration."""

__all__: list[str] = []
