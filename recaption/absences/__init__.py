"""Which absences are worth saying, and how each was verified."""
