"""Prometheus' view of this server."""

from __future__ import annotations

from flask import Flask, Response, request

from leadvibe.metrics import queries, service


def register(app: Flask) -> None:
    """Count every request from now on."""

    @app.after_request
    def count(response: Response) -> Response:
        service.count_request(method=request.method, status=response.status_code)
        return response


def show_metrics() -> Response:
    """All series in Prometheus' text format."""
    text = service.render(queries.get_figures())
    return Response(text, content_type=service.CONTENT_TYPE)
