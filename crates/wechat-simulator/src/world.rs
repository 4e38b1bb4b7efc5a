//! Everything that exists in this WeChat, each part behind a lock of its own.

use jiff::Timestamp;

use crate::account::Account;
use crate::calls::Calls;
use crate::changes::{Change, Changes};
use crate::chats::{Author, Chats};
use crate::codes::Codes;
use crate::faults::Faults;
use crate::people::{People, first_people};
use crate::phone_browser::browsers::PhoneBrowsers;
use crate::push::client::PushClient;
use crate::push::deliveries::Deliveries;
use crate::push::held::HeldPushes;
use crate::quotas::Quotas;
use crate::tokens::Tokens;
use crate::web_authorization::access::WebAccess;

/// This WeChat.
#[derive(Debug)]
pub(crate) struct World {
    /// The Official Account.
    pub(crate) account: Account,
    /// Where browsers reach the simulator, without a trailing slash.
    pub(crate) public_url: String,
    /// The people with phones.
    pub(crate) people: People,
    /// The QR codes.
    pub(crate) codes: Codes,
    /// The access tokens.
    pub(crate) tokens: Tokens,
    /// The codes and tokens of web authorisation.
    pub(crate) web_access: WebAccess,
    /// The browsers inside the phones.
    pub(crate) phone_browsers: PhoneBrowsers,
    /// The chats.
    pub(crate) chats: Chats,
    /// The record of pushes.
    pub(crate) deliveries: Deliveries,
    /// The pushes that are kept back.
    pub(crate) held_pushes: HeldPushes,
    /// The sender of pushes.
    pub(crate) push_client: PushClient,
    /// How often the API was called.
    pub(crate) calls: Calls,
    /// The calls that count towards the quotas.
    pub(crate) quotas: Quotas,
    /// The faults in force.
    pub(crate) faults: Faults,
    /// The channel to the phone pages.
    pub(crate) changes: Changes,
}

impl World {
    /// A world with its first people.
    pub(crate) fn new(
        account: Account,
        push_client: PushClient,
        phone_browsers: PhoneBrowsers,
        public_url: String,
    ) -> Self {
        let world = Self {
            account,
            public_url,
            push_client,
            people: People::default(),
            codes: Codes::default(),
            tokens: Tokens::default(),
            web_access: WebAccess::default(),
            phone_browsers,
            chats: Chats::default(),
            deliveries: Deliveries::default(),
            held_pushes: HeldPushes::default(),
            calls: Calls::default(),
            quotas: Quotas::default(),
            faults: Faults::default(),
            changes: Changes::default(),
        };
        for person in first_people() {
            world.people.add(person, Timestamp::now());
        }
        world
    }

    /// Adds a line to a person's chat and tells the phone pages.
    pub(crate) fn write(&self, person: &str, from: Author, text: String, at: Timestamp) {
        self.chats.add(person, from, text, at);
        self.changes.tell(Change::Chat {
            person: person.to_owned(),
        });
    }
}
