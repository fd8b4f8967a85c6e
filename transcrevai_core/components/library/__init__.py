"""The library page in parts."""
