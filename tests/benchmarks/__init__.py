"""Benchmarks print ratios of candidates that are measured side by side in one run. They assert nothing."""
