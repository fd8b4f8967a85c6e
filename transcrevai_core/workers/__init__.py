"""Isolation: worker processes on loky, called, watched and ended; and threads beside pages."""

from transcrevai_core.workers.worker import Worker, live, take_reading

__all__ = ["Worker", "live", "take_reading"]
