//! The pictures of QR codes and people.

pub(crate) mod avatar;
mod jpeg;
pub(crate) mod qr_code;
