"""Check every question of the notebooks in this repository. Exit 1 when one is not right, or nothing was looked at."""

import sys

from coursekit.grading.classroom import main

sys.exit(main())
