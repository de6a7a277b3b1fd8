//! What others rely on, word for word: routes, OpenAPI, discovery, the help of every command.
