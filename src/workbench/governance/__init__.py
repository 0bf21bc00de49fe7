"""Decisions: signals and their states, who may do what, approvals, the audit trail, the outbox."""

__all__: list[str] = []
