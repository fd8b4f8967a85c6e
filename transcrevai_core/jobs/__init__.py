"""A recording on its way to a transcript: the queue, the governor, and each step of a job."""
