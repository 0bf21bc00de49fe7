"""Questions of advisors, answered from the record or passed on; reads only, and never a figure outside the facts."""

__all__ = []  # type: list[str]
