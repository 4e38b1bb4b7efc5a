//! Private keys that are read once. By itself `jsonwebtoken` reads and checks an RSA key anew for
//! each signature, which takes several times as long as the signature does.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, aws_lc::DEFAULT_PROVIDER},
    errors::{Error, ErrorKind},
    signature::{self, Signer},
};
use sha2::{Digest as _, Sha256};

/// How many keys are kept: those of a ring, and its successor's.
const MOST: usize = 8;

/// A key that was read.
enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
}

/// The pairs by the hash of their keys, the latest last.
type Kept = Vec<([u8; 32], Arc<Pair>)>;

static KEPT: RwLock<Kept> = RwLock::new(Vec::new());

static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(|| CryptoProvider {
    signer_factory: signer,
    ..DEFAULT_PROVIDER.clone()
});

/// Lets `jsonwebtoken` sign with keys that were read, in all of this process.
pub(super) fn install() {
    // An error says that somebody did before: we, since nobody else does.
    let _ = PROVIDER.install_default();
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's signature")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    match algorithm {
        Algorithm::RS256 | Algorithm::ES256 => Ok(Box::new(KeptSigner {
            algorithm: *algorithm,
            pair: pair(*algorithm, key)?,
        })),
        _ => (DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    }
}

fn pair(algorithm: Algorithm, key: &EncodingKey) -> Result<Arc<Pair>, Error> {
    let der = key.as_bytes();
    let hash: [u8; 32] = Sha256::digest(der).into();
    let of_hash = |kept: &Kept| {
        let mut found = kept.iter().filter(|(known, _)| *known == hash);
        found.next().map(|(_, pair)| Arc::clone(pair))
    };
    if let Some(pair) = of_hash(&KEPT.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(pair);
    }
    let pair = Arc::new(if algorithm == Algorithm::RS256 {
        let wrong = |error: aws_lc_rs::error::KeyRejected| {
            Error::from(ErrorKind::InvalidRsaKey(error.to_string()))
        };
        Pair::Rsa(RsaKeyPair::from_der(der).map_err(wrong)?)
    } else {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        Pair::Ecdsa(pair.map_err(|_| Error::from(ErrorKind::InvalidEcdsaKey))?)
    });
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if of_hash(&kept).is_none() {
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push((hash, Arc::clone(&pair)));
    }
    Ok(pair)
}

struct KeptSigner {
    algorithm: Algorithm,
    pair: Arc<Pair>,
}

impl Signer<Vec<u8>> for KeptSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let random = SystemRandom::new();
        let wrong = signature::Error::from_source;
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed)
                    .map_err(wrong)?;
                Ok(signed)
            }
            Pair::Ecdsa(pair) => {
                let signed = pair.sign(&random, message).map_err(wrong)?;
                Ok(signed.as_ref().to_vec())
            }
        }
    }
}

impl JwtSigner for KeptSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
