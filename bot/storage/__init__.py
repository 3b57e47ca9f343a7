"""SQLite storage: one store per subject, with small typed methods."""
