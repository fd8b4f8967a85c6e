"""Whisper: how it is loaded, how one chunk is decoded, and which language is spoken."""
