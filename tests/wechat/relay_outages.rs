//! The owner's backend doesn't suffer when our Redis is away.

use rustix::process::Signal;
use system_tests::stack::{Plan, Stack};
use wechat_wire::push::{Push, PushBody};

use crate::{
    backend::{Backend, Behaviour},
    relay::{PERSON, now, push, safe},
};

async fn without_redis(backend: &Backend) -> Stack {
    let plan = Plan::default().sites(0);
    let mut stack = plan
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    stack.redis.kill();
    stack
}

fn event(body: PushBody) -> Push {
    Push {
        to_user_name: harness::account::ORIGINAL_ID.to_owned(),
        from_user_name: PERSON.to_owned(),
        create_time: now(),
        body,
    }
}

#[tokio::test]
async fn what_concerns_the_owner_alone_is_still_answered_by_their_backend() {
    let backend = Backend::start(Behaviour::Answer(200, "text/xml", b"<xml/>".to_vec())).await;
    let stack = without_redis(&backend).await;
    for (body, what) in [
        (PushBody::subscribe_without_code(), "a follow"),
        (
            PushBody::scan("a code of theirs", "a ticket"),
            "a scan of another code",
        ),
    ] {
        let answer = push(&stack, &safe(&event(body))).await;
        assert_eq!(answer.status(), 200, "{what}");
        assert_eq!(answer.text().await.expect("a body"), "<xml/>", "{what}");
        assert_eq!(backend.received().len(), 1, "{what}");
        backend.forget();
    }
}

#[tokio::test]
async fn a_redis_that_hangs_keeps_no_answer_of_theirs_back() {
    let backend = Backend::start(Behaviour::Answer(200, "text/xml", b"<xml/>".to_vec())).await;
    let plan = Plan::default().sites(0);
    let stack = plan
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    stack.redis.process.signal(Signal::STOP);
    let follow = safe(&event(PushBody::subscribe_without_code()));
    let answer = push(&stack, &follow).await;
    stack.redis.process.signal(Signal::CONT);
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.expect("a body"), "<xml/>");
    assert_eq!(backend.received().len(), 1);
}

#[tokio::test]
async fn an_unfollow_reaches_the_backend_and_is_pushed_again() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let mut stack = without_redis(&backend).await;
    let unfollow = safe(&event(PushBody::Unsubscribe));
    assert_eq!(
        push(&stack, &unfollow).await.status(),
        503,
        "the profile must go"
    );
    assert_eq!(backend.received().len(), 1);
    stack.redis.restart().await;
    assert_eq!(push(&stack, &unfollow).await.status(), 200);
}
