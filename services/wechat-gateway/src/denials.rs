//! What is denied and told so: no login that was completed before.

use login_protocol::{
    account::AccountName, attempt::AttemptStatus, identity::MemberId, scene::Scene, steps::ReadScan,
};
use service_kit::redis::{Store, StoreError};

/// Whether there is something to deny in an attempt, or nothing that speaks against telling so. One
/// that is completed later, by somebody who is banned by now, is refused there.
///
/// # Errors
///
/// Redis failed.
pub(crate) async fn is_open(
    store: &Store,
    scene: &Scene,
    account: &AccountName,
    member: &MemberId,
) -> Result<bool, StoreError> {
    let read = ReadScan {
        scene: scene.clone(),
        account: account.clone(),
    };
    let scan = store.run(&read).await?;
    let is_completed = scan.is_some_and(|scan| {
        scan.status == AttemptStatus::Consumed && scan.member.as_ref() == Some(member)
    });
    Ok(!is_completed)
}
