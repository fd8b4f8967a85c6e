"""Larger pieces of the pages: drop zone, options, jobs as they run, speakers, and memory."""
