"""The release desk: where people see, approve, return and release what the machine prepared."""

__all__: list[str] = []
