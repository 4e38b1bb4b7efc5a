//! The ways to log in that a site offers.

use login_protocol::method::{Method, MethodChoice};

/// At least one; the first is what a visitor is shown who asks for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginMethods {
    first: MethodChoice,
    others: Vec<MethodChoice>,
}

impl LoginMethods {
    /// Reads a list with commas.
    ///
    /// # Errors
    ///
    /// It is empty, or names something unknown or the same twice.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut methods = Vec::new();
        for name in list.split(',').map(str::trim) {
            let method = MethodChoice::parse(name)
                .ok_or_else(|| format!("must be scan, code, page or auto, not {name:?}"))?;
            if methods.contains(&method) {
                return Err(format!("names {name} twice"));
            }
            methods.push(method);
        }
        let first = methods.remove(0);
        Ok(Self {
            first,
            others: methods,
        })
    }

    /// The one that is shown first.
    pub const fn first(&self) -> MethodChoice {
        self.first
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = MethodChoice> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// Whether there is a choice.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether this one is offered.
    pub fn offer(&self, choice: MethodChoice) -> bool {
        self.iter().any(|offered| offered == choice)
    }

    /// Whether an attempt that goes by this method is one of a visitor who asked for none.
    pub fn include(&self, method: Method) -> bool {
        self.iter().any(|offered| offered.includes(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_shown_and_the_others_are_offered() {
        let methods = LoginMethods::parse(" scan, code ").unwrap();
        assert_eq!(methods.first(), MethodChoice::Scan);
        assert!(methods.are_several());
        assert!(methods.offer(MethodChoice::Code) && !methods.offer(MethodChoice::Auto));
        assert!(methods.include(Method::Code) && !methods.include(Method::Page));
        let auto = LoginMethods::parse("auto").unwrap();
        assert!(!auto.are_several());
        assert!(auto.include(Method::Page) && !auto.include(Method::WebAuthorization));
        for wrong in ["", "scan,", "telepathy", "web_authorization", "scan,scan"] {
            assert!(LoginMethods::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
