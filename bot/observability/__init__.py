"""Metrics, health checks and the HTTP server that shows both."""
