//! One tenant cannot see, change or learn of anything of another's.
