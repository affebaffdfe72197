"""What the parts can do without Leadvibe: do nothing, insert a row, and read twenty-five."""

from __future__ import annotations

import os
import threading

import psycopg
from flask import Flask, jsonify, request
from psycopg.rows import dict_row

app = Flask(__name__)
local = threading.local()


@app.get("/noop")
def noop():
    return "ok"


@app.post("/insert")
def insert():
    """Insert the body as one row and commit, on a connection that the thread keeps."""
    connection().execute(
        "INSERT INTO bench_rows (body) VALUES (%s)", (request.get_data(as_text=True),)
    )
    return "", 202


@app.get("/rows")
def rows():
    """Read twenty-five rows in the order of an index, and write them as JSON."""
    found = connection().cursor(row_factory=dict_row).execute(ROWS, (os.environ["BENCH_UNIT"],))
    return jsonify(found.fetchall())


ROWS = """
    SELECT lead_id, name, score, last_event_at, created_at, updated_at, session_count FROM leads
    WHERE unit_id = %s AND merged_into IS NULL ORDER BY score DESC, lead_id LIMIT 25
"""


def connection():
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["BENCH_DSN"], autocommit=True)
    return local.connection
