"""Decisions: signals and their states, who may do what, approvals, the audit trail, the outbox."""

__all__ = []  # type: ignore[var-annotated]
