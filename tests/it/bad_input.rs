//! Nonsense in every place that takes input: a fitting refusal in the surface's shape, and nothing written.
