//! A picture of an account's own QR code that the owner gives as a file.

use std::{fmt, fs::File, io::Read as _, ops::RangeInclusive, path::Path};

use actix_web::web::Bytes;
use login_protocol::account_picture::{LARGEST, PictureName};

use crate::picture_size::PictureSize;

/// How many pixels a side may have. Fewer hold no code that a phone can scan; more cost a phone
/// more memory than a code is worth.
const SIDES: RangeInclusive<u32> = 64..=4096;

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
    /// It begins like a picture, and doesn't say how large it is.
    #[error("is a broken picture: its header ends too early")]
    Broken,
    /// Nobody could scan it, or show it.
    #[error(
        "is {width} × {height} pixels: each side has to have {} to {}",
        SIDES.start(),
        SIDES.end()
    )]
    Sides {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
}

impl AccountPicture {
    /// Reads a file. It is known by its first bytes, and by the size that its header tells; the
    /// pixels aren't looked at.
    ///
    /// # Errors
    ///
    /// It can't be read, is too large, or is no picture of a usable size.
    pub fn read(path: &Path) -> Result<Self, NoPicture> {
        let mut content = Vec::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if content.len() > LARGEST {
            return Err(NoPicture::TooLarge);
        }
        let name = PictureName::of(&content).ok_or(NoPicture::Else)?;
        let PictureSize { width, height } =
            PictureSize::of(name.format(), &content).ok_or(NoPicture::Broken)?;
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            return Err(NoPicture::Sides { width, height });
        }
        Ok(Self {
            name,
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
