//! Pictures of accounts' own QR codes that the gateway has as files: fetched from it once, and kept.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use login_protocol::account_picture::PictureName;

use crate::gateway_client::{GatewayClient, GatewayError};

/// Below which path of the site's own they are.
pub const FOLDER: &str = "/assets/account/";

/// How many are kept. The gateway has one for each account at most; those that it had before are
/// dropped first.
const KEPT: usize = 16;

/// The pictures.
pub struct AccountPictures {
    gateway: Arc<GatewayClient>,
    /// The latest come last.
    known: Mutex<Vec<(PictureName, Bytes)>>,
}

impl AccountPictures {
    /// Those of this gateway.
    pub const fn new(gateway: Arc<GatewayClient>) -> Self {
        Self {
            gateway,
            known: Mutex::new(Vec::new()),
        }
    }

    /// The picture of this name; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The gateway can't be reached.
    pub async fn read(&self, name: &PictureName) -> Result<Option<Bytes>, GatewayError> {
        if let Some(known) = self.known(name) {
            return Ok(Some(known));
        }
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
