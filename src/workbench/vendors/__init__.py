"""Guarded adapters to packages whose conventions are not ours; each says where it differs."""

__all__: list[str] = []
