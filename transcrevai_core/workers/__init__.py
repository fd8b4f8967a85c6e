"""Isolation: worker processes on loky, called, watched and ended; and threads beside pages."""
