"""The test of the real AWS clients; see ../README.md for the picture."""
