"""Fact sheets, one module a subject: pure builders from results of analytics to the facts that a draft may state."""

__all__: list[str] = []
