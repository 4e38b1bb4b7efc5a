//! Pictures of accounts' own QR codes that the gateway has as files: fetched from it once, and kept.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use login_protocol::account_picture::PictureName;
use tokio::sync::Semaphore;

use crate::gateway_client::{GatewayClient, GatewayError};

/// Below which path of the site's own they are.
pub const FOLDER: &str = "/assets/account/";

/// How many are kept. The gateway has one for each account at most; those that it had before are
/// dropped first.
const KEPT: usize = 16;

/// How many requests for unknown pictures ask the gateway at once. Anybody can invent names, and
/// logins need it too.
const ASKED_AT_ONCE: usize = 4;

/// Why it isn't known whether there is a picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Others are asking the gateway.
    #[error("too many pictures are asked for at once")]
    Busy,
    /// The gateway can't be reached.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// The pictures.
pub struct AccountPictures {
    gateway: Arc<GatewayClient>,
    asking: Semaphore,
    /// The latest come last.
    known: Mutex<Vec<(PictureName, Bytes)>>,
}

impl AccountPictures {
    /// Those of this gateway.
    pub const fn new(gateway: Arc<GatewayClient>) -> Self {
        Self {
            gateway,
            asking: Semaphore::const_new(ASKED_AT_ONCE),
            known: Mutex::new(Vec::new()),
        }
    }

    /// The picture of this name; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The gateway can't be reached, or is being asked for too many.
    pub async fn read(&self, name: &PictureName) -> Result<Option<Bytes>, PictureError> {
        if let Some(known) = self.known(name) {
            return Ok(Some(known));
        }
        let asking = self.asking.try_acquire();
        let _asking = asking.map_err(|_| PictureError::Busy)?;
        let found = self.gateway.account_picture(name).await?;
        // It is kept for ever by this name, so it has to be what the name stands for.
        let found = found.filter(|content| PictureName::of(content).as_ref() == Some(name));
        if let Some(content) = &found {
            self.keep(name, content);
        }
        Ok(found)
    }

    fn known(&self, name: &PictureName) -> Option<Bytes> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(known, _)| known == name);
        found.map(|(_, content)| content.clone())
    }

    fn keep(&self, name: &PictureName, content: &Bytes) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|(known, _)| known == name) {
            return;
        }
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push((name.clone(), content.clone()));
    }
}

/// Which of the site's own paths a picture has.
pub fn path_of(name: &PictureName) -> String {
    format!("{FOLDER}{name}")
}
