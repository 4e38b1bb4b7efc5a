//! A picture of an account's own QR code that the owner gives as a file.

use std::{fmt, fs::File, io::Read as _, path::Path};

use actix_web::web::Bytes;
use login_protocol::account_picture::{LARGEST, PictureName};

/// A picture, read at start. Its `Debug` form leaves out the content.
#[derive(Clone)]
pub struct AccountPicture {
    /// Its name.
    pub name: PictureName,
    /// The file's content.
    pub content: Bytes,
}

/// Why a file can't be shown as a picture.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    /// It can't be read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is too large.
    #[error("is larger than {} KiB", LARGEST / 1024)]
    TooLarge,
    /// It is something else.
    #[error("is no picture: PNG, JPEG, WebP and GIF are known")]
    Else,
}

impl AccountPicture {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It can't be read, is too large, or is no picture.
    pub fn read(path: &Path) -> Result<Self, NoPicture> {
        let mut content = Vec::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if content.len() > LARGEST {
            return Err(NoPicture::TooLarge);
        }
        Ok(Self {
            name: PictureName::of(&content).ok_or(NoPicture::Else)?,
            content: content.into(),
        })
    }
}

impl fmt::Debug for AccountPicture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccountPicture")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
