//! Steps that go in one round trip.

use std::slice::Iter;

use login_protocol::steps::{Operation, Step, UnexpectedReply};

use super::wire::Reply;

/// A step, or one that is left out this time.
pub trait Part {
    /// The outcome.
    type Outcome;

    /// Adds what to send.
    fn send(&self, operations: &mut Vec<Operation>);

    /// Takes its reply from those that are left.
    ///
    /// # Errors
    ///
    /// As [`Step::outcome`].
    fn receive(&self, replies: &mut Iter<'_, Reply>) -> Result<Self::Outcome, UnexpectedReply>;
}

impl<S: Step> Part for &S {
    type Outcome = S::Outcome;

    fn send(&self, operations: &mut Vec<Operation>) {
        operations.push(self.operation());
    }

    fn receive(&self, replies: &mut Iter<'_, Reply>) -> Result<S::Outcome, UnexpectedReply> {
        // There are as many replies as operations; nothing at all is no reply of any step.
        self.outcome(replies.next().map_or(&[], Vec::as_slice))
    }
}

impl<S: Step> Part for Option<&S> {
    type Outcome = Option<S::Outcome>;

    fn send(&self, operations: &mut Vec<Operation>) {
        if let Some(step) = self {
            step.send(operations);
        }
    }

    fn receive(&self, replies: &mut Iter<'_, Reply>) -> Result<Self::Outcome, UnexpectedReply> {
        self.as_ref().map(|step| step.receive(replies)).transpose()
    }
}

/// Several of them, as a tuple.
pub trait Parts {
    /// What each comes to.
    type Outcomes;

    /// What to send, in this order.
    fn operations(&self) -> Vec<Operation>;

    /// What the replies mean.
    ///
    /// # Errors
    ///
    /// As [`Step::outcome`].
    fn outcomes(&self, replies: &[Reply]) -> Result<Self::Outcomes, UnexpectedReply>;
}

macro_rules! parts {
    ($($part:ident $name:ident),+) => {
        impl<$($part: Part),+> Parts for ($($part,)+) {
            type Outcomes = ($($part::Outcome,)+);

            fn operations(&self) -> Vec<Operation> {
                let ($($name,)+) = self;
                let mut operations = Vec::with_capacity([$(stringify!($name)),+].len());
                $($name.send(&mut operations);)+
                operations
            }

            fn outcomes(&self, replies: &[Reply]) -> Result<Self::Outcomes, UnexpectedReply> {
                let ($($name,)+) = self;
                let mut replies = replies.iter();
                Ok(($($name.receive(&mut replies)?,)+))
            }
        }
    };
}

parts!(A a, B b);
parts!(A a, B b, C c);
parts!(A a, B b, C c, D d);
parts!(A a, B b, C c, D d, E e);
parts!(A a, B b, C c, D d, E e, F f);
parts!(A a, B b, C c, D d, E e, F f, G g);
parts!(A a, B b, C c, D d, E e, F f, G g, H h);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n);
parts!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o);
