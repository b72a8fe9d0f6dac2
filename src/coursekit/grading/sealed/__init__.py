"""Sealed grading: the cases run in a trusted process, the student's code in a jail.

`jail` builds and starts jails, `probe` tries to break out of them, `session` talks to a child, `grade` runs sheets,
`submissions` finds files, `books` and `feedback` write what comes out. `inside` is what runs in the jail.
"""
