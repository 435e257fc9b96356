"""Language models: clients with retries, a circuit breaker, a fallback and metering; answers by schema."""
