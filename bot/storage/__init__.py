"""SQLite: one store a subject, small typed verbs, records in and out."""
