"""What a worker gets in the morning."""
