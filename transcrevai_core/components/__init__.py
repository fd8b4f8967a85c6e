"""Larger pieces of the pages: the drop zone, the options of a job, and jobs as they run."""
