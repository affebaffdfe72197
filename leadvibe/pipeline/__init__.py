"""The order of consequences, written once: intake, process, rescore."""
