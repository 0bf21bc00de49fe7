"""Pre-flight: every proposal against every rule, as data, before a person sees it."""

__all__: list[str] = []
