"""Voice vectors of windows: i-vectors, small networks, cepstra, and any ONNX speaker model."""
