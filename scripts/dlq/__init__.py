"""`dlq list|show|redrive`: dead-letter queues, what is in them, and sending it back."""
