//! The chain is whole as written, and each way to alter it is found.
