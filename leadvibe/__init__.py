"""Lead scoring where every point is accounted for.

The packages, from the outside in: front ends by surface (web, api, dialects, jobs), the sequences
that string capabilities together (imports, pipeline), capabilities by business noun, and a
foundation without a business word (lib) beside the pure scoring engine (engine).
"""

__version__ = "0.1.0"
