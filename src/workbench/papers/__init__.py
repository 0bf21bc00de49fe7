"""The papers of a firm: memo, commentary, client papers, notices, talking points, alerts; from a firm to a folder.

One file a kind reads what its sheet needs, has it drafted and verified, and hands it to be written.
"""

__all__ = []  # type: list[str]
