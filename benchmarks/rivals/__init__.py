"""What a user would write by hand: scripts that run in environments of their own and import nothing of ours."""
