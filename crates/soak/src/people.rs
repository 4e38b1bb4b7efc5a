//! The people with a phone: followers of the account, known to the simulator.

use harness::simulator::Simulator;

/// Creates them and returns their openids.
pub(crate) async fn create(wechat: &Simulator, count: usize) -> Vec<String> {
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        let person = wechat.person(&format!("用户 {number}"), true).await;
        people.push(person.openid);
    }
    people
}
