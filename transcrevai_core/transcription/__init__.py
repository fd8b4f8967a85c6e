"""Whisper: which models there are, how they are loaded, how one chunk is decoded."""
