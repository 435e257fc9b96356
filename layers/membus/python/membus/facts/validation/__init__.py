"""What an utterance commits its speaker to, read from its words alone."""
