"""The parts of the laboratory's page."""
