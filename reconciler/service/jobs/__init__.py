"""How jobs run: starting the worker, the worker itself, and what it does with one job."""
