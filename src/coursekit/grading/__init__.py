"""Exercises: graded cases, the student's `check`, sheets and notebooks, and the sealed grader."""
