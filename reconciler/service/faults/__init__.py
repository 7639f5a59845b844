"""Faults on purpose: what a service and the road to it do wrong on bad days, to order. Off unless asked for.

Importing this loads neither the web framework nor the store.
"""

from reconciler.service.faults.fault import Fault, read_faults

__all__ = ["Fault", "read_faults"]
