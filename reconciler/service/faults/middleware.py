"""Stands before everything else: each request meets the faults that hit it, then the service."""

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.service.faults.actions import Surroundings, around
from reconciler.service.faults.fault import Fault
from reconciler.service.faults.matcher import Chooser


class Faulty:
    """An ASGI application around another one, with faults; they act in the order in which they were asked for."""

    def __init__(self, app: ASGIApp, faults: tuple[Fault, ...], at: Surroundings) -> None:
        self._app = app
        self._choosers = tuple(Chooser(fault) for fault in faults)
        self._at = at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or not."""
        app = self._app
        if scope["type"] == "http":
            path = "/" + "/".join(filter(None, scope["path"].split("/")))
            hit = [chooser.fault for chooser in self._choosers if chooser.hits(scope["method"], path)]
            for fault in reversed(hit):
                app = around(fault.kind, app, self._at)
        await app(scope, receive, send)
