"""Language models: clients with retries, a circuit breaker, a fallback and metering, and answers by schema."""
