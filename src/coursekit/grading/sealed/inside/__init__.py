"""What runs inside the jail: the fork server, the locks, the worker that runs a student's cells, and the protocol.

These files are copied into the jail and can be read by the student's code, so nothing in them is a secret. They need
NumPy and the standard library only, and import nothing else of coursekit.
"""
