//! Services that know their own public address. A free port is known only once they listen on it,
//! so they are started again where they were.

use crate::stack::Stack;

fn host(address: &str) -> &str {
    address.trim_start_matches("http://")
}

impl Stack {
    /// Gives the only gateway its own address as the public one.
    pub async fn publish_gateway(&mut self) {
        let mut gateway = self.gateways.remove(0);
        gateway.process.stop().await;
        // The internal address must stay what the site knows.
        self.plan = self
            .plan
            .clone()
            .gateway("GATEWAY__PUBLIC__URL", &gateway.public)
            .gateway("GATEWAY__PUBLIC__BIND", host(&gateway.public))
            .gateway("GATEWAY__INTERNAL__BIND", host(&gateway.internal));
        self.add_gateway().await;
    }

    /// Gives the only site its own address as the public one, for web authorisation to return to.
    pub async fn publish_site(&mut self) {
        let mut site = self.sites.remove(0);
        site.process.stop().await;
        self.plan = self
            .plan
            .clone()
            .site("SITE__PUBLIC__URL", &site.public)
            .site("SITE__PUBLIC__BIND", host(&site.public));
        self.add_site().await;
    }
}
