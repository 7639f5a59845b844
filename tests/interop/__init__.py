"""Clients, suites and contracts that others made, run against our service. Scripts: pytest collects nothing here."""
