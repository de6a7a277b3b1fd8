//! What every answer has in common: identifiers, headers, methods, origins, drain.
