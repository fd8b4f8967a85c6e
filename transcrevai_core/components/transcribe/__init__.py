"""The parts of the page where recordings come in."""
