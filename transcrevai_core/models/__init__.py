"""The models: which there are, where from, which of them are here, and whether they are whole."""
