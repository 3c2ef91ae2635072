"""The course: `nbgrader` finds this file when it is called in this folder."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "book" / "_ext"))

import lab_release  # noqa: E402

c = get_config()  # noqa: F821 (handed in by nbgrader)
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "gans"
c.GenerateAssignment.preprocessors = lab_release.RELEASE
c.GenerateFeedback.preprocessors = lab_release.FEEDBACK
# Seconds. Copies are graded on the `smoke` budget, maybe many at a time on a busy machine.
c.Execute.timeout, c.Execute.startup_timeout, c.Execute.iopub_timeout = 1800, 300, 60
