"""The steps of a job: submit, poll, download, deliver. Each takes its state and returns the next one."""
