"""What the parts can do without Leadvibe: a route that does nothing, and one that inserts a row."""

from __future__ import annotations

import os
import threading

import psycopg
from flask import Flask, request

app = Flask(__name__)
local = threading.local()


@app.get("/noop")
def noop():
    return "ok"


@app.post("/insert")
def insert():
    """Insert the body as one row and commit, on a connection that the thread keeps."""
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["BENCH_DSN"], autocommit=True)
    local.connection.execute(
        "INSERT INTO bench_rows (body) VALUES (%s)", (request.get_data(as_text=True),)
    )
    return "", 202
