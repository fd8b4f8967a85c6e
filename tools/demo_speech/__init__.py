"""Synthesized speech of the demo grammar: sentences, voices, labels, and features of it."""
