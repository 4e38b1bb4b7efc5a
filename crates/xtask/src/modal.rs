//! The modal's own tests, which need Node.

use crate::failure::Failure;
use crate::node_packages::{self, MODAL};

/// Runs them: that the committed bundle is what the sources make, and what the npm package
/// promises.
pub(crate) fn test() -> Result<(), Failure> {
    node_packages::install()?;
    node_packages::npm(MODAL, &["test"])
}
