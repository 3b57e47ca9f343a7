"""What one job goes through: submit, poll, download, deliver."""
