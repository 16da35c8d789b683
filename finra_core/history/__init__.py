"""What the stored versions are for: questions about the past, answered from one view of a store."""
