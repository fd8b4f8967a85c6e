"""The laboratory of diarization: settings tried at once, sweeps over many, profiles."""
