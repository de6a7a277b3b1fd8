//! What must never be written down in clear text, nor said in an answer.
