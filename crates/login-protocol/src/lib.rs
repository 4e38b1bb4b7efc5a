//! login-protocol
