"""What the versions are for: answers about what a store holds, as functions of what one view of it shows."""
