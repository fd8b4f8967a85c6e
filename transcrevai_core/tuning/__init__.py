"""The laboratory of diarization: settings that answer at once, sweeps over many, profiles."""
