"""Where a return came from: Brinson effects, linking, sleeves, and what implementation changed."""

__all__: list[str] = []
