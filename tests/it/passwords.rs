//! Passwords at rest: imported hashes, new costs, the queue of the hashing threads.
