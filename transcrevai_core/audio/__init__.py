"""A recording as sound: decoded in blocks to 16 kHz mono PCM on disk, its speech, its waveform."""
