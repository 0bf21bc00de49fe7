"""The audit trail: records in a chain, checkpoints outside the database, their verification."""

__all__: list[str] = []
