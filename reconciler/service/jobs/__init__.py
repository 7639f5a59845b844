"""How jobs get done: who starts the worker, and what the worker does with one job."""
