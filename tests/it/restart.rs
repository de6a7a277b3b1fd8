//! What was decided stays decided when the process ends and starts again.
