"""What the commands say of what they found: as pages for people and documents for programs, one module a command."""
