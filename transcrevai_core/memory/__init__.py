"""What memory there is, what a job will need, and what is to be done: nothing here acts."""
