"""Injected faults: errors of a service and of the network, on request. Off by default.

Importing this loads neither the web framework nor the store.
"""

from reconciler.service.faults.fault import Fault, read_faults

__all__ = ["Fault", "read_faults"]
