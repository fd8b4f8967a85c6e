"""Plotly figures, and how they read in words: pure functions on types and readings."""
