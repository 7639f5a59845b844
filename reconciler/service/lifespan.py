"""What a service has only on a port: its store to itself, and a courier for its webhook."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.foundation.locks import try_lock
from reconciler.service.store.database import Store, StoreError
from reconciler.service.store.webhook_outbox import listen, stop_listening
from reconciler.service.webhook import Courier, Webhook, post


@contextmanager
def sole(store: Store) -> Iterator[None]:
    """Be the only process that serves a store on a port. Commands that open it in their own process are welcome.

    Raises: StoreError, naming the process that serves it already
    """
    descriptor = os.open(store.serve_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not try_lock(descriptor):
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StoreError(f"{store.root} is served already by process {owner}: stop it, or choose another --store")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def telling(store: Store, webhook: Webhook | None, clock: Callable[[], float]) -> Iterator[None]:
    """Tell a webhook of every job that ends meanwhile, and of those that ended since it was last told."""
    with store.write() as db:
        if webhook is None:
            stop_listening(db)
        else:
            listen(db)
    if webhook is None:
        yield
        return
    stop = threading.Event()
    courier = Courier(store=store, webhook=webhook, clock=clock, send=post)
    thread = threading.Thread(target=courier.run, args=(stop,), name="webhook", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1.0)
