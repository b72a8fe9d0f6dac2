// The worker of a notebook's kernel, with Python starting at once. Written by live/build_lite.py.
import "./@WORKER@";
import { begin } from "./python.mjs";

begin();
