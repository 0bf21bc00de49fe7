"""The release desk: where people see, approve, return and release what the machine prepared."""

from workbench.desk.app import create_app
from workbench.desk.settings import Rate, Settings

__all__ = ["Rate", "Settings", "create_app"]
